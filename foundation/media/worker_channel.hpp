// What parent and worker say to each other over a stream socket: a header of fixed size (magic with the version, kind,
// bytes that follow), a body, and with the header at most one descriptor. Both ends are the same program on the same
// machine, so numbers are in its own byte order.
// Channel: one thread; owns its end. Nothing that the other end sends makes it wait beyond the deadline, allocate more
// than max_body, or keep a descriptor that was not asked for.
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
  open = 1,     // to the worker: limits, name; with the video
  frames_at,    // scale, times
  frame_times,  // nothing
  opened,       // from the worker: facts
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

  // Both fail with timeout, and with unavailable when the other end is gone; receive() with corrupt for what is no
  // message.
  Result<void> send(Kind kind, std::string_view body, int descriptor, Deadline deadline);
  Result<Message> receive(std::uint64_t max_body, Deadline deadline);

 private:
  Result<void> wait(short events, Deadline deadline) const;
  Result<Descriptor> receive_header(void* to, std::size_t bytes, Deadline deadline);

  Descriptor socket_;
};

// Numbers and texts into bytes and back.
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

  // Zero and empty where the bytes do not reach; done() then says so.
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
  // All of it was read, and nothing beyond.
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
