#include "failure.hpp"

#include <arrow/util/io_util.h>

#include <array>
#include <cerrno>
#include <string_view>
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

// Advice on what to do next, if there is any.
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

// Arrow distinguishes object store failures only in their text: "... AWS Error ACCESS_DENIED during PutObject ...".
constexpr std::string_view kAwsError = "AWS Error ";

struct Refusal {
  std::string_view name;
  Code code;
  std::string_view advice;
};
constexpr std::string_view kCredentials =
    "; check the credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or the machine's role) and what "
    "they allow in this bucket";
constexpr std::string_view kUnreachable = "; check that the server runs and can be reached, then run the command again";
constexpr std::string_view kBusy = "; the server is too busy: run the command again later, it goes on where it was";
constexpr std::array kRefusals{
    Refusal{"ACCESS_DENIED", Code::permission_denied, kCredentials},
    Refusal{"SIGNATURE_DOES_NOT_MATCH", Code::permission_denied, kCredentials},
    Refusal{"INVALID_ACCESS_KEY_ID", Code::permission_denied, kCredentials},
    Refusal{"INVALID_CLIENT_TOKEN_ID", Code::permission_denied, kCredentials},
    Refusal{"INVALID_SIGNATURE", Code::permission_denied, kCredentials},
    Refusal{"UNRECOGNIZED_CLIENT", Code::permission_denied, kCredentials},
    Refusal{"MISSING_AUTHENTICATION_TOKEN", Code::permission_denied, kCredentials},
    Refusal{"REQUEST_EXPIRED", Code::permission_denied, kCredentials},
    Refusal{"UNKNOWN (HTTP status 403)", Code::permission_denied, kCredentials},
    Refusal{"REQUEST_TIME_TOO_SKEWED", Code::permission_denied, "; set this machine's clock"},
    Refusal{"NO_SUCH_BUCKET", Code::not_found, "; make the bucket, or correct store.url"},
    Refusal{"NETWORK_CONNECTION", Code::unavailable, kUnreachable},
    Refusal{"REQUEST_TIMEOUT", Code::unavailable, kUnreachable},
    Refusal{"SLOW_DOWN", Code::unavailable, kBusy},
    Refusal{"SERVICE_UNAVAILABLE", Code::unavailable, kBusy},
    Refusal{"THROTTLING", Code::unavailable, kBusy},
};

[[noreturn]] void raise_object_store(const std::string& message, const std::string& doing) {
  const auto said = message.substr(message.find(kAwsError) + kAwsError.size());
  // The client compares received bytes with the checksum that was stored at upload.
  if (said.find("checksums mismatch") != std::string::npos) {
    throw Exception(Code::corrupt, doing + ": " + said + "; the bytes were damaged where they lie or on the way");
  }
  for (const auto& refusal : kRefusals) {
    if (said.starts_with(refusal.name)) {
      throw Exception(refusal.code, doing + ": " + said + std::string(refusal.advice));
    }
  }
  throw Exception(Code::unavailable, doing + ": " + said);
}

}  // namespace

void raise_errno(int error, const std::string& doing) {
  throw Exception(code_of_errno(error), doing + ": " + std::generic_category().message(error) + advice(error));
}

void raise(const arrow::Status& status, const std::string& doing) {
  if (const int error = arrow::internal::ErrnoFromStatus(status); error != 0) raise_errno(error, doing);
  if (is_object_store_failure(status)) raise_object_store(status.message(), doing);
  const Code code = status.IsInvalid()          ? Code::invalid_argument
                    : status.IsNotImplemented() ? Code::unsupported
                    : status.IsOutOfMemory()    ? Code::too_large
                                                : Code::unavailable;
  throw Exception(code, doing + ": " + status.message());
}

bool is_missing(const arrow::Status& status) { return arrow::internal::ErrnoFromStatus(status) == ENOENT; }

bool is_object_store_failure(const arrow::Status& status) {
  return !status.ok() && status.message().find(kAwsError) != std::string::npos;
}

}  // namespace reeltag::store
