// Failures of Arrow and of the operating system in reeltag's words. Private to the store.
#pragma once

#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

namespace reeltag::store {

// doing says what was tried with which key or path: "writing blob 'videos/ab.mp4'".
[[noreturn]] void raise_errno(int error, const std::string& doing);
[[noreturn]] void raise(const arrow::Status& status, const std::string& doing);

// Whether the status says that there is nothing of this name.
bool is_missing(const arrow::Status& status);
// Whether it is an object store's refusal or silence, as opposed to what a path is or is not.
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
