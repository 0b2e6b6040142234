// Tests that a worker that crashes, hangs, exhausts memory or lies costs one error. Complements
// decoder_conformance_test.cpp and limits_test.cpp, which test both decoders.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "reeltag/base/file.hpp"
#include "test_clips.hpp"

namespace reeltag::media {
namespace {

using test::Folder;
using ::testing::HasSubstr;

const std::string kClip = "-f lavfi -i testsrc2=s=160x120:r=25:d=2 -c:v libx264 -g 25 -pix_fmt yuv420p ";

class Isolated : public testing::Test {
 protected:
  static Limits limits(const std::filesystem::path& program = REELTAG_TEST_WORKER) {
    Limits l;
    l.worker.program = program;
    return l;
  }
  // A worker that misbehaves as the name says.
  [[nodiscard]] std::filesystem::path liar(const std::string& name) const {
    const auto link = folder_ / name;
    if (!std::filesystem::exists(link)) std::filesystem::create_symlink(REELTAG_TEST_WORKER, link);
    return link;
  }
  Result<std::unique_ptr<Decoder>> open(const Limits& l) const {
    return Decoder::open_untrusted(Descriptor(::open(clip_.c_str(), O_RDONLY | O_CLOEXEC)), "http://a/b.mp4", l);
  }
  // The error of the named misbehavior: at opening, or at the first frame.
  Error lie(const std::string& name, const std::function<void(Limits&)>& change = [](Limits&) {}) const {
    Limits l = limits(liar(name));
    change(l);
    auto decoder = open(l);
    if (!decoder) return decoder.error();
    const auto frames = (*decoder)->frames_at(std::vector<double>{0.0}, {});
    if (frames) return {Code::internal, "believed"};
    // Later calls fail too, at once.
    const auto again = (*decoder)->frame_times();
    EXPECT_FALSE(again);
    if (!again) {
      EXPECT_EQ(again.error().message, frames.error().message);
    }
    return frames.error();
  }
  static pid_t only_child() {
    std::ifstream list("/proc/thread-self/children");
    pid_t child = 0;
    list >> child;
    return child;
  }

  Folder folder_;
  std::filesystem::path clip_ = folder_.clip("clip.mp4", kClip);
};

TEST_F(Isolated, NamesTheVideoAsItWasCalled) {
  auto decoder = open(limits());
  ASSERT_TRUE(decoder) << decoder.error().message;
  EXPECT_EQ((*decoder)->probe().size_bytes, static_cast<std::int64_t>(std::filesystem::file_size(clip_)));
  const auto bad = (*decoder)->frames_at(std::vector<double>{0.0}, {.short_side = -1});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::invalid_argument);
  EXPECT_TRUE((*decoder)->frames_at(std::vector<double>{0.0, 1.0}, {}));
}

TEST_F(Isolated, AFileWithoutANameIsAsGood) {
  const Descriptor file = open_unnamed_file(folder_ / "");
  const std::string bytes = test::content_of(clip_);
  ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  auto decoder = Decoder::open_untrusted(Descriptor(::dup(file.get())), "-", limits());
  ASSERT_TRUE(decoder) << decoder.error().message;
  EXPECT_EQ((*decoder)->frame_times()->size(), 50U);
}

TEST_F(Isolated, TheKeyDecidesWhoGetsAWorker) {
  const auto works = [&](const std::string& isolate, bool outside) {
    Limits l = limits("/no/such/worker");  // an explicitly requested worker must fail
    l.isolate = isolate;
    return (outside ? open(l) : Decoder::open(clip_, l)).has_value();
  };
  EXPECT_TRUE(works("auto", false));
  EXPECT_FALSE(works("auto", true));
  EXPECT_FALSE(works("always", false));
  EXPECT_TRUE(works("never", true));
}

TEST_F(Isolated, AMissingWorkerIsSaid) {
  const auto got = open(limits("/no/such/worker"));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::unavailable);
  EXPECT_THAT(got.error().message, HasSubstr("/no/such/worker"));
  EXPECT_FALSE(check_isolation(limits("/no/such/worker")));
  EXPECT_FALSE(check_isolation(limits(liar("quit"))));
  const auto fine = check_isolation(limits());
  EXPECT_TRUE(fine) << fine.error().message;
}

TEST_F(Isolated, ACrashIsOneError) {
  for (const std::string name : {"crash", "crash_later"}) {
    const Error error = lie(name);
    EXPECT_EQ(error.code, Code::decode_failed);
    EXPECT_THAT(error.message, HasSubstr("http://a/b.mp4: decoder crashed (signal 11, Segmentation fault)"));
  }
  const Error forbidden = lie("forbidden");
  EXPECT_EQ(forbidden.code, Code::decode_failed);
  EXPECT_THAT(forbidden.message, HasSubstr("decoder crashed (signal 31"));
  EXPECT_THAT(lie("quit").message, HasSubstr("ended early with status 7"));
  EXPECT_TRUE(open(limits()));  // this process continues
}

TEST_F(Isolated, AWorkerKilledInItsWorkIsOneError) {
  auto decoder = open(limits());
  ASSERT_TRUE(decoder);
  const pid_t worker = only_child();
  ASSERT_GT(worker, 0);
  ::kill(worker, SIGKILL);
  const auto got = (*decoder)->frames_at(std::vector<double>{0.0}, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::decode_failed);
  EXPECT_THAT(got.error().message, HasSubstr("signal 9"));
}

TEST_F(Isolated, AHangEndsAtTheDeadline) {
  for (const std::string name : {"hang", "half_a_word"}) {
    const auto begin = std::chrono::steady_clock::now();
    const Error error = lie(name, [](Limits& l) { l.max_decode_seconds = 0.1; });
    EXPECT_EQ(error.code, Code::timeout);
    EXPECT_THAT(error.message, HasSubstr("took longer than 0.1 s; raise media.max_decode_seconds"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
    EXPECT_EQ(only_child(), 0);
  }
  // A stopped worker cannot enforce its own deadline.
  auto decoder = open(limits());
  ASSERT_TRUE(decoder);
  EXPECT_THAT(lie("hang_up").message, HasSubstr("hung up without an answer"));
}

TEST_F(Isolated, ProcessorTimeIsBounded) {
  const Error error = lie("spin", [](Limits& l) { l.worker.cpu_seconds = 1; });
  EXPECT_EQ(error.code, Code::timeout);
  EXPECT_THAT(error.message, HasSubstr("took more than 1 s of processor time; raise media.worker.cpu_seconds"));
}

#ifndef REELTAG_SHADOW_MEMORY
TEST_F(Isolated, MemoryIsBounded) {
  // A header with large pictures makes the codec allocate memory.
  const auto large = folder_.clip("large.mp4", "-f lavfi -i color=s=8000x4000:r=5:d=1 -c:v libx264 -preset ultrafast");
  Limits l = limits();
  l.isolate = "always";
  l.worker.memory_mb = 400;
  auto decoder = Decoder::open(large, l);
  const auto error = decoder ? (*decoder)->frames_at(std::vector<double>{0.5}, {}).error() : decoder.error();
  EXPECT_EQ(error.code, Code::too_large) << error.message;
  EXPECT_THAT(error.message, HasSubstr("large.mp4: needs more than 400 MB; raise media.worker.memory_mb"));
  l.worker.memory_mb = 2048;
  EXPECT_TRUE((*Decoder::open(large, l))->frames_at(std::vector<double>{0.5}, {}));
}
#endif

TEST_F(Isolated, OutputIsBounded) {
  Limits l = limits();
  l.worker.output_mb = 1;
  auto decoder = open(l);
  ASSERT_TRUE(decoder);
  const std::vector<double> times(20, 0.0);  // 20 frames of 57,600 bytes
  const auto got = (*decoder)->frames_at(times, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::too_large);
  EXPECT_THAT(got.error().message, HasSubstr("more than 1 MB; ask for fewer or smaller ones"));
  EXPECT_TRUE((*decoder)->frames_at(std::vector<double>(18, 0.0), {}));  // the decoder remains usable
}

TEST_F(Isolated, NothingThatAWorkerSaysIsBelievedUnchecked) {
  for (const std::string name :
       {"noise", "huge_body", "unknown_kind", "wrong_kind", "short_facts", "negative_width", "endless", "no_number",
        "escape", "odd_error", "long_error", "more_frames", "negative_count", "larger_frames", "overflow",
        "short_memory", "long_memory", "no_memory", "unsealed"}) {
    const Error error = lie(name, [](Limits& l) { l.max_pixels = 16 * 8; });
    EXPECT_EQ(error.code, Code::decode_failed) << name;
    EXPECT_THAT(error.message, HasSubstr("http://a/b.mp4: its decoder answered nonsense")) << name;
    EXPECT_EQ(only_child(), 0) << name;
  }
  // Frames of a size that was not requested, within all limits.
  auto decoder = open(limits(liar("honest")));
  ASSERT_TRUE(decoder);
  EXPECT_FALSE((*decoder)->frames_at(std::vector<double>{0.0}, {.short_side = 4}));
  EXPECT_EQ(lie("honest").message, "believed");
  EXPECT_EQ(lie("escape_error").message, "a [2Jb c");
}

TEST_F(Isolated, TheWorkerIsGoneWithItsDecoder) {
  {
    auto decoder = open(limits());
    ASSERT_TRUE(decoder);
    EXPECT_GT(only_child(), 0);
  }
  EXPECT_EQ(only_child(), 0);
}

// The worker's descriptors: the socket, the video (read only), and the kernel's report on its own memory.
TEST_F(Isolated, TheWorkerHoldsNothingElse) {
  const Descriptor secret(::open("/etc/hostname", O_RDONLY));  // without CLOEXEC
  const Descriptor file = open_unnamed_file(folder_ / "");
  const std::string bytes = test::content_of(clip_);
  ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  ::setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
  auto decoder = Decoder::open_untrusted(Descriptor(::dup(file.get())), "-", limits());
  ::unsetenv("AWS_SECRET_ACCESS_KEY");
  ASSERT_TRUE(decoder);
  const auto worker = std::filesystem::path("/proc") / std::to_string(only_child());
  std::map<std::string, std::string> open_files;
  for (const auto& entry : std::filesystem::directory_iterator(worker / "fd"))
    open_files[entry.path().filename().string()] = std::filesystem::read_symlink(entry.path()).string();
  ASSERT_EQ(open_files.size(), 6U);
  for (const std::string standard : {"0", "1", "2"}) EXPECT_EQ(open_files[standard], "/dev/null");
  EXPECT_THAT(open_files["3"], HasSubstr("socket"));
  EXPECT_EQ(open_files["5"], worker / "status");
  EXPECT_THAT(test::content_of(worker / "fdinfo" / "4"), HasSubstr("flags:\t02100000"));  // read only
  EXPECT_EQ(test::content_of(worker / "environ").find("hidden"), std::string::npos);
  const std::string status = test::content_of(worker / "status");
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
}

}  // namespace
}  // namespace reeltag::media
