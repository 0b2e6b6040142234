// Errors. Throw Exception when the run cannot continue (bad configuration, lost database, corrupt bundle);
// return Result<T> when one item of many may fail (a video, a download); assert only for bugs.
// All types are values; copies may be used from any thread.
//
//   Result<Probe> probe(path);
//   if (auto p = probe(path); !p) report.skip(path, p.error());
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace reeltag {

// The kinds of failure; scripts may rely on them. code_name() gives the spelling used in JSON.
enum class Code {
  invalid_argument,  // wrong usage: an option, a key, a request
  invalid_config,    // a configuration or recipe that cannot be used
  not_found,         // a missing file, key, dataset, run or model
  already_exists,    // the operation would overwrite something immutable
  not_a_video,       // the bytes are no video container, or have no video stream
  decode_failed,     // a video that breaks during decoding
  too_large,         // over a limit of bytes, pixels or duration
  timeout,           // over a time limit
  unsupported,       // a valid input of a kind that reeltag does not handle
  corrupt,           // one of reeltag's files, or a model, with inconsistent content
  unavailable,       // an external system does not answer, or refuses for now
  permission_denied,
  interrupted,  // by a signal; the work can be resumed
  internal      // a bug or an unexpected answer from a library
};

// The code in snake_case, as in {"error":{"code":"decode_failed"}}.
std::string_view code_name(Code code) noexcept;

// The exit status of a process that ends with this code: 2 for usage and configuration, 130 for interrupted, else 1.
int exit_status(Code code) noexcept;

struct Error {
  Code code = Code::internal;
  std::string message;  // names the file, key or URL and, where possible, what to do next
};

template <class T>
using Result = tl::expected<T, Error>;

// Builds the error that a function returning Result<T> returns.
inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

class Exception : public std::runtime_error {
 public:
  Exception(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  explicit Exception(const Error& error) : Exception(error.code, error.message) {}

  [[nodiscard]] Code code() const noexcept { return code_; }
  [[nodiscard]] Error error() const { return {code_, what()}; }

 private:
  Code code_;
};

// Returns the value, or throws the error as Exception: for callers that cannot continue without the item.
template <class T>
T value_or_throw(Result<T>&& result) {
  if (!result) throw Exception(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace reeltag
