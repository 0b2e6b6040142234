#include "worker_channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace reeltag::media {
namespace {

using namespace std::chrono_literals;

WorkerChannel::Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

struct Pair {
  Pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no socket");
    raw = ends[1];
    one = std::make_unique<WorkerChannel>(Descriptor(ends[0]));
    other = std::make_unique<WorkerChannel>(Descriptor(ends[1]));
  }
  int raw = -1;
  std::unique_ptr<WorkerChannel> one, other;
};

TEST(WorkerChannel, CarriesBodiesLargerThanTheSocketHolds) {
  Pair pair;
  const std::string body(5'000'000, 'b');
  std::jthread sender([&] { EXPECT_TRUE(pair.other->send(Kind::frames_at, body, -1, in(10s))); });
  const auto got = pair.one->receive(body.size(), in(10s));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->kind, Kind::frames_at);
  EXPECT_EQ(got->body, body);
  EXPECT_FALSE(got->descriptor.is_open());
}

TEST(WorkerChannel, CarriesADescriptor) {
  Pair pair;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Descriptor reader(ends[0]), writer(ends[1]);
  ASSERT_TRUE(pair.other->send(Kind::open, "x", writer.get(), in(1s)));
  const auto got = pair.one->receive(10, in(1s));
  ASSERT_TRUE(got && got->descriptor.is_open());
  EXPECT_TRUE(::fcntl(got->descriptor.get(), F_GETFD) & FD_CLOEXEC);
  ASSERT_EQ(::write(got->descriptor.get(), "y", 1), 1);
  char c = 0;
  EXPECT_EQ(::read(reader.get(), &c, 1), 1);
}

TEST(WorkerChannel, RefusesMoreThanOneDescriptorAndKeepsNone) {
  Pair pair;
  const auto open_now = [] {
    int count = 0;
    for (int i = 0; i < 200; ++i) count += ::fcntl(i, F_GETFD) >= 0 ? 1 : 0;
    return count;
  };
  const int before = open_now();
  const int two[] = {0, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof two)] = {};
  char bytes[16] = "RTW1\4";
  iovec piece{bytes, sizeof bytes};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof two);
  std::memcpy(CMSG_DATA(c), two, sizeof two);
  ASSERT_EQ(::sendmsg(pair.raw, &message, 0), 16);
  const auto got = pair.one->receive(10, in(1s));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::corrupt);
  EXPECT_EQ(open_now(), before);
}

TEST(WorkerChannel, WaitsNoLongerThanTheDeadline) {
  Pair pair;
  EXPECT_EQ(pair.one->receive(10, in(30ms)).error().code, Code::timeout);
  ASSERT_EQ(::write(pair.raw, "RTW", 3), 3);  // the start of a header, then nothing
  EXPECT_EQ(pair.one->receive(10, in(30ms)).error().code, Code::timeout);
  // The other end does not read: the socket buffer fills up.
  EXPECT_EQ(pair.one->send(Kind::frames_at, std::string(5'000'000, 'b'), -1, in(30ms)).error().code, Code::timeout);
}

TEST(WorkerChannel, TellsWhenTheOtherEndIsGone) {
  Pair pair;
  pair.other.reset();
  EXPECT_EQ(pair.one->receive(10, in(1s)).error().code, Code::unavailable);
  EXPECT_EQ(pair.one->send(Kind::open, "x", -1, in(1s)).error().code, Code::unavailable);
}

TEST(WorkerChannel, RefusesABodyOverTheLimitBeforeItIsRead) {
  Pair pair;
  ASSERT_TRUE(pair.other->send(Kind::error, "12345678901", -1, in(1s)));
  EXPECT_EQ(pair.one->receive(10, in(1s)).error().code, Code::corrupt);
}

TEST(Unpacker, NeverReadsBeyondItsBytes) {
  Unpacker empty("");
  EXPECT_EQ(empty.number<int>(), 0);
  EXPECT_FALSE(empty.done());
  Packer lie;
  lie.number<std::uint64_t>(~0ULL);
  Unpacker text(lie.bytes());
  EXPECT_EQ(text.text(), "");
  EXPECT_FALSE(text.done());
  const Packer fine = Packer().number(7).text("seven").number(0.5);
  Unpacker in_order(fine.bytes());
  EXPECT_EQ(in_order.number<int>(), 7);
  EXPECT_EQ(in_order.text(), "seven");
  EXPECT_FALSE(in_order.done());
  EXPECT_EQ(in_order.number<double>(), 0.5);
  EXPECT_TRUE(in_order.done());
}

}  // namespace
}  // namespace reeltag::media
