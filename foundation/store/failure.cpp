#include "failure.hpp"

#include <arrow/util/io_util.h>

#include <cerrno>
#include <system_error>

#include "reeltag/base/error.hpp"

namespace reeltag::store {
namespace {

Code code_of_errno(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::permission_denied;
    case ENOENT:
      return Code::not_found;
    case ENAMETOOLONG:
    case EISDIR:
    case ENOTDIR:
    case EEXIST:
    case ENOTEMPTY:
      return Code::invalid_argument;
    case EFBIG:
      return Code::too_large;
    default:
      return Code::unavailable;
  }
}

// What to do next, where there is something to say.
std::string advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space, nothing was half-written";
    case EACCES:
    case EPERM:
      return "; check the owner and the mode of the folder";
    case EISDIR:
    case ENOTDIR:
    case EEXIST:
    case ENOTEMPTY:
      return "; a key cannot be both a blob and the folder of other keys";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n)";
    default:
      return "";
  }
}

}  // namespace

void raise_errno(int error, const std::string& doing) {
  throw Exception(code_of_errno(error), doing + ": " + std::generic_category().message(error) + advice(error));
}

void raise(const arrow::Status& status, const std::string& doing) {
  if (const int error = arrow::internal::ErrnoFromStatus(status); error != 0) raise_errno(error, doing);
  const Code code = status.IsInvalid()          ? Code::invalid_argument
                    : status.IsNotImplemented() ? Code::unsupported
                    : status.IsOutOfMemory()    ? Code::too_large
                                                : Code::unavailable;
  throw Exception(code, doing + ": " + status.message());
}

}  // namespace reeltag::store
