// Converts failures of Arrow and of the operating system to Exception. Private to the store. Functions; any thread.
//
//   check(stream->Write(bytes), "writing blob 'videos/ab.mp4'");
#pragma once

#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

namespace reeltag::store {

// doing: the operation with its key or path: "writing blob 'videos/ab.mp4'".
[[noreturn]] void raise_errno(int error, const std::string& doing);
[[noreturn]] void raise(const arrow::Status& status, const std::string& doing);

// Whether the status means that the name does not exist.
bool is_missing(const arrow::Status& status);
// Whether an object store refused or did not answer, as opposed to a statement about a path.
bool is_object_store_failure(const arrow::Status& status);

inline void check(const arrow::Status& status, const std::string& doing) {
  if (!status.ok()) raise(status, doing);
}

template <class T>
T value_of(arrow::Result<T>&& result, const std::string& doing) {
  if (!result.ok()) raise(result.status(), doing);
  return std::move(result).MoveValueUnsafe();
}

}  // namespace reeltag::store
