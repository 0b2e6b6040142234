// The parent's side: starts a worker for a video, sends requests, and treats every answer as untrusted.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

#include "decoders.hpp"
#include "reeltag/base/subprocess.hpp"
#include "wire.hpp"
#include "worker_channel.hpp"

namespace reeltag::media {
namespace {

// The worker enforces the deadline itself; it is killed if it has not answered this long after.
constexpr std::chrono::seconds kGrace{5};
constexpr std::uint64_t kMaxAnswer = 1 << 16;
constexpr std::size_t kMaxMessage = 2000;

// Variables of the loader and the sanitizers; the worker gets no others, such as credentials.
constexpr const char* kEnvironment[] = {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"};

tl::unexpected<Error> nonsense(const char* what) { return fail(Code::corrupt, what); }

std::string number_text(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

Result<std::filesystem::path> worker_program(const WorkerLimits& limits) {
  if (!limits.program.empty()) return limits.program;
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed)
    return fail(Code::unavailable, "cannot find the program that decodes: /proc/self/exe: " + failed.message());
  return self.parent_path() / "reeltag";
}

struct StartedWorker {
  Process process;
  WorkerChannel channel;
};

Result<StartedWorker> start_worker(const WorkerLimits& limits) {
  const auto program = worker_program(limits);
  if (!program) return fail(program.error());
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(Code::unavailable,
                "cannot make a socket for the decoder: " + std::error_code(errno, std::generic_category()).message());
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  ProcessOptions options{.descriptor = theirs.get()};
  for (const char* name : kEnvironment)
    if (const char* value = std::getenv(name)) options.environment.push_back(std::string(name) + "=" + value);
  auto process = Process::start({program->string(), "decode-worker", "--fd", "3"}, options);
  if (!process) return fail(process.error());
  return StartedWorker{std::move(*process), WorkerChannel(std::move(ours))};
}

// The codes that a video can cause; others would mislead the caller.
std::optional<Code> code_of(int value) {
  for (const Code code : {Code::not_a_video, Code::decode_failed, Code::too_large, Code::timeout, Code::unsupported,
                          Code::invalid_argument, Code::unavailable})
    if (static_cast<int>(code) == value) return code;
  return std::nullopt;
}

Result<Error> unpack_error(std::string_view body) {
  Unpacker in(body);
  const auto code = code_of(in.number<int>());
  std::string text = in.text();
  if (!code || !in.done() || text.empty() || text.size() > kMaxMessage) return nonsense("an error of no known kind");
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';  // removes characters that control a terminal
  return Error{*code, text};
}

// Copies sealed memory with exactly these two parts. Copies instead of mapping, so that the checked data is our own.
Result<void> read_memory(const Descriptor& memory, std::span<std::uint8_t> pixels, std::span<double> times) {
  struct stat facts{};
  if (!memory.is_open() || ::fstat(memory.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return nonsense("frames without memory");
  if (const int seals = ::fcntl(memory.get(), F_GET_SEALS); seals < 0 || (seals & kSeals) != kSeals)
    return nonsense("memory that is not sealed");
  if (static_cast<std::uint64_t>(facts.st_size) != pixels.size_bytes() + times.size_bytes())
    return nonsense("memory of another size than announced");
  off_t offset = 0;
  for (std::span<std::uint8_t> part : {pixels, {reinterpret_cast<std::uint8_t*>(times.data()), times.size_bytes()}}) {
    while (!part.empty()) {
      const auto got = ::pread(memory.get(), part.data(), part.size(), offset);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return nonsense("memory that cannot be read");
      offset += got;
      part = part.subspan(static_cast<std::size_t>(got));
    }
  }
  const auto is_time = [](double t) { return std::isfinite(t); };
  if (!std::all_of(times.begin(), times.end(), is_time)) return nonsense("times that are no numbers");
  return {};
}

bool fits(const Frames& f, const Scale& scale) {
  if (scale.width > 0) return f.width == scale.width && f.height == scale.height;
  return scale.short_side == 0 || std::min(f.width, f.height) == scale.short_side;
}

class IsolatedDecoder final : public Decoder {
 public:
  IsolatedDecoder(std::shared_ptr<const File> file, const Limits& limits, StartedWorker started)
      : file_(std::move(file)),
        limits_(limits),
        process_(std::move(started.process)),
        channel_(std::move(started.channel)) {}

  Result<void> open() {
    Packer hello;
    pack(hello, limits_);
    const auto answer = ask(Kind::open, hello.text(file_->name()).bytes(), file_->descriptor());
    if (!answer) return fail(answer.error());
    auto probe = answer->kind == Kind::opened ? unpack_probe(answer->body) : nonsense("an answer to another question");
    if (probe && probe->duration > limits_.max_duration) probe = nonsense("a longer video than the limit");
    if (!probe) return fail(broken(probe.error()));
    probe_ = std::move(*probe);
    probe_.size_bytes = file_->size();
    return {};
  }

  [[nodiscard]] const Probe& probe() const override { return probe_; }

  Result<Frames> frames_at(std::span<const double> times, const Scale& scale) override {
    Packer request;
    request.number(scale.short_side).number(scale.width).number(scale.height);
    for (const double t : times) request.number(t);
    const auto answer = ask(Kind::frames_at, request.bytes());
    if (!answer) return fail(answer.error());
    auto frames = unpack_frames(*answer, times.size(), scale);
    if (frames || frames.error().code == Code::too_large) return frames;
    return fail(broken(frames.error()));
  }

  Result<std::vector<double>> frame_times() override {
    const auto answer = ask(Kind::frame_times, {});
    if (!answer) return fail(answer.error());
    auto times = unpack_times(*answer);
    if (times) return times;
    return fail(broken(times.error()));
  }

 private:
  Result<Message> ask(Kind kind, std::string_view body, int descriptor = -1) {
    if (broken_) return fail(*broken_);
    const double seconds = std::clamp(limits_.max_decode_seconds, 0.0, 1e8);
    const auto deadline = std::chrono::steady_clock::now() + kGrace +
                          std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
    auto sent = channel_.send(kind, body, descriptor, deadline);
    auto answer = sent ? channel_.receive(kMaxAnswer, deadline) : fail(sent.error());
    if (!answer) return fail(broken(answer.error()));
    if (answer->kind != Kind::error) return answer;
    const auto error = unpack_error(answer->body);
    if (!error) return fail(broken(error.error()));
    return fail(*error);
  }

  [[nodiscard]] std::int64_t output_bytes() const { return static_cast<std::int64_t>(limits_.worker.output_mb) << 20; }

  Result<Frames> unpack_frames(const Message& answer, std::size_t count, const Scale& scale) const {
    Unpacker in(answer.body);
    Frames f;
    f.count = in.number<int>();
    f.height = in.number<int>();
    f.width = in.number<int>();
    if (answer.kind != Kind::frames || !in.done() || f.count < 0 || static_cast<std::size_t>(f.count) != count)
      return nonsense("another number of frames than asked for");
    if (f.width < 1 || f.height < 1 || static_cast<std::int64_t>(f.width) * f.height > limits_.max_pixels ||
        !fits(f, scale))
      return nonsense("frames of another size than asked for");
    const auto most = static_cast<std::size_t>(output_bytes());
    if (count > 0 && f.frame_bytes() + sizeof(double) > most / count)
      return fail(Code::too_large, file_->name() + output_problem(limits_.worker));
    f.data.resize(f.frame_bytes() * count);
    f.times.resize(count);
    if (auto read = read_memory(answer.descriptor, f.data, f.times); !read) return fail(read.error());
    return f;
  }

  Result<std::vector<double>> unpack_times(const Message& answer) const {
    Unpacker in(answer.body);
    const auto count = in.number<std::uint64_t>();
    if (answer.kind != Kind::times || !in.done() || count > static_cast<std::uint64_t>(output_bytes()) / sizeof(double))
      return nonsense("times without a sensible count");
    std::vector<double> times(count);
    if (auto read = read_memory(answer.descriptor, {}, times); !read) return fail(read.error());
    if (!std::is_sorted(times.begin(), times.end())) return nonsense("times out of order");
    return times;
  }

  // Kills the worker, and stores the error for this call and all later ones.
  Error broken(const Error& cause) {
    broken_ = describe(cause);
    return *broken_;
  }

  Error describe(const Error& cause) {
    if (cause.code == Code::timeout) {
      process_.end();
      return file_->error(Code::timeout, "took longer than " + number_text(limits_.max_decode_seconds) +
                                             " s; raise media.max_decode_seconds if that is expected");
    }
    if (cause.code == Code::corrupt) {
      process_.end();
      return file_->error(Code::decode_failed, "its decoder answered nonsense: " + cause.message);
    }
    const bool by_itself = process_.wait(std::chrono::seconds(1));
    const int status = process_.end();
    if (!by_itself) return file_->error(Code::decode_failed, "its decoder hung up without an answer");
    if (status == 128 + SIGXCPU)
      return file_->error(Code::timeout,
                          "took more than " + std::to_string(limits_.worker.cpu_seconds) +
                              " s of processor time; raise media.worker.cpu_seconds if that is expected");
    if (status > 128)
      return file_->error(Code::decode_failed, "decoder crashed (signal " + std::to_string(status - 128) + ", " +
                                                   ::strsignal(status - 128) + ")");
    return file_->error(Code::unavailable, "its decoder ended early with status " + std::to_string(status));
  }

  std::shared_ptr<const File> file_;
  Limits limits_;
  Probe probe_;
  Process process_;
  WorkerChannel channel_;
  std::optional<Error> broken_;
};

Result<std::unique_ptr<IsolatedDecoder>> open_worker(const std::shared_ptr<const File>& file, const Limits& limits) {
  auto started = start_worker(limits.worker);
  if (!started) return fail(file->error(Code::unavailable, started.error().message));
  auto decoder = std::make_unique<IsolatedDecoder>(file, limits, std::move(*started));
  if (auto opened = decoder->open(); !opened) return fail(opened.error());
  return decoder;
}

}  // namespace

Result<std::unique_ptr<Decoder>> open_isolated(const std::shared_ptr<const File>& file, const Limits& limits) {
  return open_worker(file, limits);
}

Result<void> check_isolation(const Limits& limits) {
  // One byte is not a video; a worker that says so has entered its sandbox first.
  Descriptor byte(::memfd_create("check", MFD_CLOEXEC));
  if (!byte.is_open() || ::write(byte.get(), "x", 1) != 1)
    return fail(Code::unavailable, "this system has no memfd_create; media.isolate=never decodes without it");
  const auto file = File::adopt(std::move(byte), "check", limits);
  if (!file) return fail(file.error());
  const auto opened = open_isolated(*file, limits);
  if (opened || opened.error().code == Code::not_a_video) return {};
  return fail(opened.error());
}

}  // namespace reeltag::media
