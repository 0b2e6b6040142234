#include "reeltag/base/stop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>

#include "reeltag/base/error.hpp"
#include "system_error.hpp"

namespace reeltag::stop {
namespace {

std::stop_source& source() {
  static auto* made = new std::stop_source;  // never destroyed: other threads may still use it at exit
  return *made;
}

std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may touch it only when it has no lock");
int pipe_end = -1;  // written by the handler; set before the handler is installed

// Only async-signal-safe calls: request_stop() takes locks and runs callbacks, so a thread does that.
void handle(int number) {
  const int kept = errno;
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  const char byte = 0;
  [[maybe_unused]] const auto written = ::write(pipe_end, &byte, 1);
  errno = kept;
}

void wait_for_signal(int read_end) {
  // Retries after EINTR: the signal may be delivered to this thread.
  char byte = 0;
  while (::read(read_end, &byte, 1) < 0 && errno == EINTR) {
  }
  source().request_stop();
}

void install_once() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw Exception(Code::internal, system_error(errno, "cannot watch signals").message);
  pipe_end = ends[1];
  std::thread(wait_for_signal, ends[0]).detach();
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action{};
    action.sa_handler = handle;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);  // the second signal has the default effect
    sigemptyset(&action.sa_mask);
    if (::sigaction(number, &action, nullptr) != 0) {
      throw Exception(Code::internal, system_error(errno, "cannot watch signals").message);
    }
  }
}

}  // namespace

void install() {
  static std::once_flag once;
  std::call_once(once, install_once);
}

std::stop_token token() { return source().get_token(); }

void request(int number) {
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  source().request_stop();
}

int signal_number() noexcept { return first_signal; }

int exit_status() noexcept { return first_signal == 0 ? 0 : 128 + first_signal; }

void throw_if_requested() {
  if (token().stop_requested()) throw Exception(Code::interrupted, "interrupted; run the same command again to resume");
}

}  // namespace reeltag::stop
