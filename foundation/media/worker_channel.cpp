#include "worker_channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace reeltag::media {
namespace {

// "RTW1": a later format gets a later digit.
constexpr std::uint32_t kMagic = 0x31575452;

struct Header {
  std::uint32_t magic = kMagic;
  std::uint32_t kind = 0;
  std::uint64_t body = 0;
};

// Room for one descriptor in a control message.
struct alignas(cmsghdr) Control {
  std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

bool would_block() { return errno == EAGAIN || errno == EINTR; }

tl::unexpected<Error> gone() { return fail(Code::unavailable, "the other end is gone"); }

tl::unexpected<Error> garbage() { return fail(Code::corrupt, "what the other end sent is no message"); }

// The descriptor that came with a message; closes all but the first.
Descriptor descriptor_of(msghdr& message, bool& too_many) {
  Descriptor first;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(c) + at, sizeof number);
      Descriptor got(number);
      too_many = too_many || first.is_open();
      if (!first.is_open()) first = std::move(got);
    }
  }
  too_many = too_many || (message.msg_flags & MSG_CTRUNC) != 0;
  return first;
}

}  // namespace

Result<void> WorkerChannel::wait(short events, Deadline deadline) const {
  for (;;) {
    int time = -1;
    if (deadline != Deadline::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return fail(Code::timeout, "the other end is late");
      time = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
    }
    pollfd end{socket_.get(), events, 0};
    const int ready = ::poll(&end, 1, time);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return gone();
  }
}

Result<void> WorkerChannel::send(Kind kind, std::string_view body, int descriptor, Deadline deadline) {
  const Header header{.kind = static_cast<std::uint32_t>(kind), .body = body.size()};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += body;
  Control control;
  for (std::size_t sent = 0; sent < bytes.size();) {
    iovec piece{bytes.data() + sent, bytes.size() - sent};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (sent == 0 && descriptor >= 0) {
      message.msg_control = control.bytes.data();
      message.msg_controllen = control.bytes.size();
      cmsghdr* c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(sizeof descriptor);
      std::memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
    }
    const auto put = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && !would_block()) return gone();
    if (put > 0) sent += static_cast<std::size_t>(put);
    if (put < 0)
      if (auto ready = wait(POLLOUT, deadline); !ready) return ready;
  }
  return {};
}

// Fills `to`, and returns the descriptor that came with its first byte.
Result<Descriptor> WorkerChannel::receive_header(void* to, std::size_t bytes, Deadline deadline) {
  Descriptor descriptor;
  for (std::size_t got = 0; got < bytes;) {
    Control control;
    iovec piece{static_cast<char*>(to) + got, bytes - got};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const auto count = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count == 0 || (count < 0 && !would_block())) return gone();
    if (count < 0) {
      if (auto ready = wait(POLLIN, deadline); !ready) return fail(ready.error());
      continue;
    }
    bool too_many = false;
    Descriptor came = descriptor_of(message, too_many);
    if (too_many || (came.is_open() && got > 0)) return garbage();
    if (got == 0) descriptor = std::move(came);
    got += static_cast<std::size_t>(count);
  }
  return descriptor;
}

Result<Message> WorkerChannel::receive(std::uint64_t max_body, Deadline deadline) {
  Header header;
  auto descriptor = receive_header(&header, sizeof header, deadline);
  if (!descriptor) return fail(descriptor.error());
  const auto last = static_cast<std::uint32_t>(Kind::error);
  if (header.magic != kMagic || header.kind < 1 || header.kind > last || header.body > max_body) return garbage();
  Message message{.kind = static_cast<Kind>(header.kind), .descriptor = std::move(*descriptor)};
  message.body.resize(header.body);
  for (std::size_t got = 0; got < message.body.size();) {
    // Provides no room for control messages, so the kernel closes descriptors that arrive here.
    const auto count = ::recv(socket_.get(), message.body.data() + got, message.body.size() - got, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && !would_block())) return gone();
    if (count > 0) got += static_cast<std::size_t>(count);
    if (count < 0)
      if (auto ready = wait(POLLIN, deadline); !ready) return fail(ready.error());
  }
  return message;
}

}  // namespace reeltag::media
