// Message protocol between parent and worker over a stream socket: a fixed-size header (magic with the version, kind,
// body length), a body, and with the header at most one descriptor. Both ends are the same program on the same machine,
// so numbers use its byte order.
// WorkerChannel: one thread; owns its end. The other end cannot make it wait beyond the deadline, allocate more than
// max_body, or keep an unexpected descriptor. Failure: Result.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"

namespace reeltag::media {

enum class Kind : std::uint32_t {
  open = 1,     // to the worker: limits, name; with the video's descriptor
  frames_at,    // scale, times
  frame_times,  // empty
  opened,       // from the worker: properties
  frames,       // sizes; with pixels and times in sealed memory
  times,        // count; with the times in sealed memory
  error         // code, message
};

struct Message {
  Kind kind = Kind::error;
  std::string body = {};
  Descriptor descriptor = {};
};

class WorkerChannel {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit WorkerChannel(Descriptor socket) : socket_(std::move(socket)) {}

  // Both fail with timeout, and with unavailable if the other end is closed; receive() also with corrupt for a
  // malformed message.
  Result<void> send(Kind kind, std::string_view body, int descriptor, Deadline deadline);
  Result<Message> receive(std::uint64_t max_body, Deadline deadline);

 private:
  Result<void> wait(short events, Deadline deadline) const;
  Result<Descriptor> receive_header(void* to, std::size_t bytes, Deadline deadline);

  Descriptor socket_;
};

// Serializes numbers and texts to bytes; Unpacker reads them back.
class Packer {
 public:
  template <class T>
  Packer& number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Packer& text(std::string_view value) {
    number<std::uint64_t>(value.size());
    bytes_.append(value);
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  // Returns zero or empty if there are too few bytes; done() is then false.
  template <class T>
  T number() {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    T value{};
    const auto bytes = take(sizeof value);
    if (bytes.size() == sizeof value) bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(number<std::uint64_t>())); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  // True if all bytes were read and none were missing.
  [[nodiscard]] bool done() const { return !short_ && rest_.empty(); }

 private:
  std::string_view take(std::uint64_t bytes) {
    if (bytes > rest_.size()) {
      short_ = true;
      return {};
    }
    const auto taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
  bool short_ = false;
};

}  // namespace reeltag::media
