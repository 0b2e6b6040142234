#include "reeltag/base/error.hpp"

namespace reeltag {

std::string_view code_name(Code code) noexcept {
  switch (code) {
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::invalid_config:
      return "invalid_config";
    case Code::not_found:
      return "not_found";
    case Code::already_exists:
      return "already_exists";
    case Code::not_a_video:
      return "not_a_video";
    case Code::decode_failed:
      return "decode_failed";
    case Code::too_large:
      return "too_large";
    case Code::timeout:
      return "timeout";
    case Code::unsupported:
      return "unsupported";
    case Code::corrupt:
      return "corrupt";
    case Code::unavailable:
      return "unavailable";
    case Code::permission_denied:
      return "permission_denied";
    case Code::interrupted:
      return "interrupted";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

int exit_status(Code code) noexcept {
  switch (code) {
    case Code::invalid_argument:
    case Code::invalid_config:
      return 2;
    case Code::interrupted:
      return 130;
    default:
      return 1;
  }
}

}  // namespace reeltag
