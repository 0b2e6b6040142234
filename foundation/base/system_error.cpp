#include "system_error.hpp"

#include <cerrno>
#include <system_error>

namespace reeltag {
namespace {

Code code_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::permission_denied;
    case EEXIST:
    case ENOTEMPTY:
      return Code::already_exists;
    case EISDIR:
    case EINVAL:
    case ENAMETOOLONG:
      return Code::invalid_argument;
    case EFBIG:
      return Code::too_large;
    default:
      return Code::unavailable;  // full disk, i/o error, out of descriptors: may work later
  }
}

}  // namespace

Error system_error(int number, const std::string& what) {
  return {code_of(number), what + ": " + std::generic_category().message(number)};
}

}  // namespace reeltag
