// The worker as `reeltag decode-worker` runs it; under another name (a link to this program) it misbehaves as that name
// says, like a decoder taken over by a video.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "sandbox.hpp"
#include "wire.hpp"
#include "worker_channel.hpp"

namespace {

using namespace reeltag;
using namespace reeltag::media;

constexpr auto kForever = WorkerChannel::Deadline::max();

Probe good_probe() {
  Probe p;
  p.container = "mov";
  p.codec = "h264";
  p.width = 16;
  p.height = 8;
  p.fps = 25;
  p.duration = 2;
  return p;
}

Descriptor memory(std::size_t bytes, int seals) {
  Descriptor made(::memfd_create("test", MFD_ALLOW_SEALING));
  const std::string zeros(bytes, '\0');
  if (::write(made.get(), zeros.data(), bytes) != static_cast<ssize_t>(bytes)) ::_exit(9);
  ::fcntl(made.get(), F_ADD_SEALS, seals);
  return made;
}

class Liar {
 public:
  Liar() : channel_(Descriptor(3)) {
    if (!channel_.receive(1 << 20, kForever)) ::_exit(8);
  }

  void say(Kind kind, const std::string& body, int descriptor = -1) {
    (void)channel_.send(kind, body, descriptor, kForever);
  }
  void error(int code, const std::string& text) { say(Kind::error, Packer().number(code).text(text).bytes()); }
  void opened(const std::function<void(Probe&)>& change = [](Probe&) {}) {
    Probe p = good_probe();
    change(p);
    say(Kind::opened, pack(p));
  }
  void frames(int count, int height, int width, std::size_t bytes, int seals = kSeals, bool with_memory = true) {
    opened();
    (void)channel_.receive(1 << 20, kForever);
    const Descriptor made = memory(bytes, seals);
    say(Kind::frames, Packer().number(count).number(height).number(width).bytes(), with_memory ? made.get() : -1);
  }
  void raw(const std::string& bytes) {
    if (::write(3, bytes.data(), bytes.size()) < 0) ::_exit(7);
  }
  // Waits until the parent closes the socket.
  void wait() { (void)channel_.receive(1 << 20, kForever); }

 private:
  WorkerChannel channel_;
};

// Sanitizers would otherwise end the process in their own way.
void crash() {
  ::signal(SIGSEGV, SIG_DFL);
  ::raise(SIGSEGV);
}

constexpr std::size_t kFrame = 16 * 8 * 3 + sizeof(double);

const std::map<std::string, std::function<void(Liar&)>> kLies{
    {"crash", [](Liar&) { crash(); }},
    {"crash_later", [](Liar& l) { l.opened(), l.wait(), crash(); }},
    {"quit", [](Liar&) { ::_exit(7); }},
    {"hang", [](Liar&) { ::pause(); }},
    {"half_a_word", [](Liar& l) { l.raw("RTW"), ::pause(); }},
    {"hang_up", [](Liar&) { ::close(3), ::pause(); }},
    {"forbidden",
     [](Liar&) {
       enter_sandbox();
       ::fork();
     }},
    {"spin",
     [](Liar&) {
       apply_rlimits({.cpu_seconds = 1});
       for (std::atomic<int> i = 0;;) ++i;
     }},
    {"noise", [](Liar& l) { l.raw(std::string(100'000, 'x')); }},
    {"huge_body", [](Liar& l) { l.raw(std::string("RTW1\4\0\0\0\0\0\0\0\0\0\0\x7f", 16)), ::pause(); }},
    {"unknown_kind", [](Liar& l) { l.raw(std::string("RTW1\x63\0\0\0\0\0\0\0\0\0\0\0", 16)), ::pause(); }},
    {"wrong_kind", [](Liar& l) { l.say(Kind::times, Packer().number<std::uint64_t>(0).bytes()), l.wait(); }},
    {"short_facts", [](Liar& l) { l.say(Kind::opened, pack(good_probe()).substr(1)), l.wait(); }},
    {"negative_width", [](Liar& l) { l.opened([](Probe& p) { p.width = -16; }), l.wait(); }},
    {"endless", [](Liar& l) { l.opened([](Probe& p) { p.duration = 1e300; }), l.wait(); }},
    {"no_number",
     [](Liar& l) { l.opened([](Probe& p) { p.fps = std::numeric_limits<double>::quiet_NaN(); }), l.wait(); }},
    {"escape", [](Liar& l) { l.opened([](Probe& p) { p.codec = "\x1b[2J"; }), l.wait(); }},
    {"odd_error", [](Liar& l) { l.error(static_cast<int>(Code::interrupted), "x"), l.wait(); }},
    {"long_error", [](Liar& l) { l.error(static_cast<int>(Code::too_large), std::string(60'000, 'x')), l.wait(); }},
    {"escape_error", [](Liar& l) { l.error(static_cast<int>(Code::too_large), "a\x1b[2Jb\nc"), l.wait(); }},
    {"more_frames", [](Liar& l) { l.frames(2, 8, 16, 2 * kFrame), l.wait(); }},
    {"negative_count", [](Liar& l) { l.frames(-1, 8, 16, kFrame), l.wait(); }},
    {"larger_frames", [](Liar& l) { l.frames(1, 16, 32, 16 * 32 * 3 + 8), l.wait(); }},
    {"overflow", [](Liar& l) { l.frames(1, 1 << 30, 1 << 30, kFrame), l.wait(); }},
    {"short_memory", [](Liar& l) { l.frames(1, 8, 16, kFrame - 1), l.wait(); }},
    {"long_memory", [](Liar& l) { l.frames(1, 8, 16, kFrame + 1), l.wait(); }},
    {"no_memory", [](Liar& l) { l.frames(1, 8, 16, kFrame, kSeals, false), l.wait(); }},
    {"unsealed", [](Liar& l) { l.frames(1, 8, 16, kFrame, F_SEAL_SHRINK | F_SEAL_GROW), l.wait(); }},
    {"honest", [](Liar& l) { l.frames(1, 8, 16, kFrame), l.wait(); }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || std::string(argv[1]) != "decode-worker" || std::string(argv[2]) != "--fd") return 2;
  const auto lie = kLies.find(std::filesystem::path(argv[0]).filename().string());
  if (lie == kLies.end()) ::_exit(run_worker(std::stoi(argv[3])));
  Liar liar;
  lie->second(liar);
  ::_exit(0);
}
