// The video that a route names, as far as the principal may see it. Private to serve; any thread.
#pragma once

#include <optional>

#include "auth/authenticator.hpp"
#include "server_state.hpp"

namespace reeltag::serve {

// Nothing where there is no such video, or it is not the principal's to see.
std::optional<catalog::VideoView> find_video(ServerState& state, const server::Request& request,
                                             const Principal& principal);
// 404, the same for both reasons.
server::Response no_such_video();

}  // namespace reeltag::serve
