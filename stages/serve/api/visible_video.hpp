// Finds the video of a route, if the principal may see it. Private to serve; any thread. Throws as the catalog does.
#pragma once

#include <optional>

#include "auth/authenticator.hpp"
#include "server_state.hpp"

namespace reeltag::serve {

// Nothing if there is no such video or the principal may not see it.
std::optional<catalog::VideoView> find_video(ServerState& state, const server::Request& request,
                                             const Principal& principal);
// 404, the same in both cases.
server::Response no_such_video();

}  // namespace reeltag::serve
