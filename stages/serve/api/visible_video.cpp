#include "api/visible_video.hpp"

#include "api/replies.hpp"

namespace reeltag::serve {

std::optional<catalog::VideoView> find_video(ServerState& state, const server::Request& request,
                                             const Principal& principal) {
  const auto id = request.parameter("video");
  return is_video_id(id) ? state.ownership.find(principal.viewer(), id) : std::nullopt;
}

server::Response no_such_video() { return server::problem(404, "not_found", "there is no such video of yours"); }

}  // namespace reeltag::serve
