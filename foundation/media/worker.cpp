// The worker's side: implements `reeltag decode-worker`.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <span>

#include "decoders.hpp"
#include "sandbox.hpp"
#include "wire.hpp"
#include "worker_channel.hpp"

namespace reeltag::media {
namespace {

constexpr auto kForever = WorkerChannel::Deadline::max();
constexpr std::uint64_t kMaxRequest = 1ULL << 30;

std::string_view bytes_of(std::span<const double> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

class Worker {
 public:
  explicit Worker(Descriptor socket) : parent_(std::move(socket)) {}

  int run() {
    auto request = parent_.receive(kMaxRequest, kForever);
    if (!request || request->kind != Kind::open || !request->descriptor.is_open()) return 1;
    while (request && reply(*request)) request = parent_.receive(kMaxRequest, kForever);
    return 0;
  }

 private:
  // False if the parent has closed the socket, or the worker cannot continue.
  bool reply(Message& request) {
    Result<void> answered;
    try {
      answered = answer(request);
    } catch (const Exception& e) {
      answered = fail(e.error());
    } catch (const std::bad_alloc&) {
      answered = fail(no_memory());
    }
    if (answered) return true;
    const bool sent = send_error(answered.error());
    return sent && decoder_ != nullptr;
  }

  Result<void> answer(Message& request) {
    Unpacker in(request.body);
    switch (request.kind) {
      case Kind::open:
        return open(in, std::move(request.descriptor));
      case Kind::frames_at:
        return frames_at(in);
      case Kind::frame_times:
        return frame_times();
      default:
        return fail(Code::internal, "no request of this kind");
    }
  }

  Result<void> open(Unpacker& in, Descriptor video) {
    limits_ = unpack_limits(in);
    name_ = in.text();
    if (!in.done() || decoder_) return fail(Code::internal, "a request to open that makes no sense");
    Limits whole = limits_;
    whole.max_bytes = std::numeric_limits<std::int64_t>::max();  // checked by the parent
    // Examines only the descriptor: reading the video must wait until the sandbox is active.
    auto file = File::adopt(std::move(video), name_, whole);
    if (!file) return fail(file.error());
    status_ = Descriptor(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    apply_rlimits(limits_.worker);
    enter_sandbox();
    // From here on hostile bytes are parsed.
    auto opened = open_libav(*file, limits_);
    if (!opened) return fail(opened.error());
    decoder_ = std::move(*opened);
    return send(Kind::opened, pack(decoder_->probe()));
  }

  Result<void> frames_at(Unpacker& in) {
    Scale scale;
    scale.short_side = in.number<int>();
    scale.width = in.number<int>();
    scale.height = in.number<int>();
    std::vector<double> times(in.left() / sizeof(double));
    for (double& t : times) t = in.number<double>();
    const auto frames = decoder_->frames_at(times, scale);
    if (!frames) return fail(frames.error());
    const std::string_view pixels(reinterpret_cast<const char*>(frames->data.data()), frames->data.size());
    return send_memory(Kind::frames,
                       Packer().number(frames->count).number(frames->height).number(frames->width).bytes(),
                       {pixels, bytes_of(frames->times)});
  }

  Result<void> frame_times() {
    const auto times = decoder_->frame_times();
    if (!times) return fail(times.error());
    return send_memory(Kind::times, Packer().number<std::uint64_t>(times->size()).bytes(), {bytes_of(*times)});
  }

  // A closed socket is detected by the next receive().
  Result<void> send(Kind kind, const std::string& body, int descriptor = -1) {
    (void)parent_.send(kind, body, descriptor, kForever);
    return {};
  }

  bool send_error(const Error& error) {
    // libav reports it clearly, or treats a failed allocation as a broken picture.
    const bool memory = error.message.find(std::strerror(ENOMEM)) != std::string::npos ||
                        (error.code == Code::decode_failed && was_short_of_memory());
    const Error& told = memory ? no_memory() : error;
    return parent_
        .send(Kind::error, Packer().number(static_cast<int>(told.code)).text(told.message).bytes(), -1, kForever)
        .has_value();
  }

  // Writes once, then seals: the parent's checked data cannot change afterwards.
  Result<void> send_memory(Kind kind, const std::string& body, std::initializer_list<std::string_view> parts) {
    const Descriptor memory(::memfd_create("frames", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    bool fine = memory.is_open();
    for (std::string_view rest : parts) {
      while (fine && !rest.empty()) {
        const auto put = ::write(memory.get(), rest.data(), rest.size());
        if (put < 0 && errno == EINTR) continue;
        fine = put > 0;
        if (fine) rest.remove_prefix(static_cast<std::size_t>(put));
      }
    }
    if (!fine && errno == EFBIG) return fail(Code::too_large, name_ + output_problem(limits_.worker));
    if (!fine || ::fcntl(memory.get(), F_ADD_SEALS, kSeals) != 0) return fail(no_memory());
    return send(kind, body, memory.get());
  }

  // True if three quarters of the address space were in use at some time: the next large picture did not fit.
  [[nodiscard]] bool was_short_of_memory() const {
    if (kSanitized) return false;
    std::array<char, 4096> text{};
    const auto got = ::pread(status_.get(), text.data(), text.size() - 1, 0);
    const char* peak = got > 0 ? std::strstr(text.data(), "VmPeak:") : nullptr;
    const auto kilobytes = peak != nullptr ? std::strtoll(peak + std::strlen("VmPeak:"), nullptr, 10) : 0;
    return kilobytes / 1024 > std::int64_t{limits_.worker.memory_mb} * 3 / 4;
  }

  [[nodiscard]] Error no_memory() const {
    return {Code::too_large, name_ + ": needs more than " + std::to_string(limits_.worker.memory_mb) +
                                 " MB; raise media.worker.memory_mb if that is expected"};
  }

  WorkerChannel parent_;
  Limits limits_;
  std::string name_;
  Descriptor status_;  // of this process, opened before entering the sandbox
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace

int run_worker(int socket) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGXFSZ, SIG_IGN);  // too many frames are an error to report
  constexpr int kSocket = 3;
  if (socket != kSocket && ::dup2(socket, kSocket) < 0) return 1;
  ::close_range(kSocket + 1, ~0U, 0);
  return Worker(Descriptor(kSocket)).run();
}

}  // namespace reeltag::media
