// Tests the filter: each system call is tried in a child that has entered the sandbox.
#include "sandbox.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <initializer_list>
#include <thread>
#include <utility>

namespace reeltag::media {
namespace {

constexpr int kSucceeded = 200;

// The result of the attempt in a sandboxed child: its errno, kSucceeded, or minus the signal that killed it.
int outcome(const std::function<long()>& attempt) {
  const pid_t child = ::fork();
  if (child == 0) {
    enter_sandbox();
    const long result = attempt();
    ::_exit(result >= 0 ? kSucceeded : errno);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(Sandbox, OpensNothing) {
  EXPECT_EQ(outcome([] { return ::open("/dev/null", O_RDONLY); }), EPERM);
  EXPECT_EQ(outcome([] { return ::syscall(SYS_open, "/etc/passwd", O_RDONLY); }), EPERM);
  EXPECT_EQ(outcome([] { return ::openat(AT_FDCWD, "new", O_WRONLY | O_CREAT, 0600); }), EPERM);
  EXPECT_EQ(outcome([] { return ::syscall(SYS_openat2, AT_FDCWD, "/dev/null", nullptr, 0); }), EPERM);
  EXPECT_EQ(outcome([] { return ::unlink("/nothing"); }), EPERM);
  EXPECT_EQ(outcome([] { return ::mkdir("/tmp/reeltag-sandbox", 0700); }), EPERM);
}

TEST(Sandbox, ReachesNoNetwork) {
  EXPECT_EQ(outcome([] { return ::socket(AF_INET, SOCK_STREAM, 0); }), -SIGSYS);
  EXPECT_EQ(outcome([] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }), -SIGSYS);
  const int before = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(outcome([&] {
              sockaddr_in to{};
              to.sin_family = AF_INET;
              to.sin_port = htons(9);
              to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
              return ::connect(before, reinterpret_cast<const sockaddr*>(&to), sizeof to);
            }),
            -SIGSYS);
  ::close(before);
}

TEST(Sandbox, StartsNoProcessAndTouchesNoOther) {
  EXPECT_EQ(outcome([] { return ::execl("/bin/true", "true", nullptr); }), -SIGSYS);
  EXPECT_EQ(outcome([] { return ::fork(); }), -SIGSYS);
  EXPECT_EQ(outcome([] { return ::vfork(); }), -SIGSYS);
  EXPECT_EQ(outcome([] { return ::kill(::getppid(), 0); }), -SIGSYS);
  EXPECT_EQ(outcome([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }), -SIGSYS);
  const pid_t parent = ::getpid();
  EXPECT_EQ(outcome([=] { return ::syscall(SYS_tgkill, parent, parent, 0); }), EPERM);
  EXPECT_EQ(outcome([] { return ::syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
}

TEST(Sandbox, MakesNoCode) {
  const auto map = [](int protection) {
    return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1L : 0L;
  };
  EXPECT_EQ(outcome([&] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }), EPERM);
  EXPECT_EQ(outcome([&] { return map(PROT_READ | PROT_WRITE); }), kSucceeded);
}

TEST(Sandbox, CannotBeLeft) {
  EXPECT_EQ(outcome([] { return ::syscall(SYS_prctl, 1, 0, 0, 0, 0); }), EPERM);  // PR_SET_PDEATHSIG
  EXPECT_EQ(outcome([] {
              const rlimit more{RLIM_INFINITY, RLIM_INFINITY};
              return ::setrlimit(RLIMIT_CPU, &more);
            }),
            EPERM);
}

// Calls by which other sandboxes were left, each with arguments that the kernel would take up.
TEST(Sandbox, RefusesTheKnownWaysOut) {
  const std::initializer_list<std::pair<const char*, long>> calls = {
      {"io_uring_setup", SYS_io_uring_setup},
      {"io_uring_enter", SYS_io_uring_enter},
      {"bpf", SYS_bpf},
      {"userfaultfd", SYS_userfaultfd},
      {"perf_event_open", SYS_perf_event_open},
      {"unshare", SYS_unshare},
      {"setns", SYS_setns},
      {"mount", SYS_mount},
      {"pivot_root", SYS_pivot_root},
      {"chroot", SYS_chroot},
      {"keyctl", SYS_keyctl},
      {"add_key", SYS_add_key},
      {"process_vm_readv", SYS_process_vm_readv},
      {"pidfd_open", SYS_pidfd_open},
      {"pidfd_getfd", SYS_pidfd_getfd},
      {"open_by_handle_at", SYS_open_by_handle_at},
      {"personality", SYS_personality},
      {"seccomp", SYS_seccomp},
      {"prctl", SYS_prctl},
      {"splice", SYS_splice},
      {"vmsplice", SYS_vmsplice},
      {"shmget", SYS_shmget},
      {"msgget", SYS_msgget},
      {"mq_open", SYS_mq_open},
      {"inotify_init1", SYS_inotify_init1},
      {"fanotify_init", SYS_fanotify_init},
      {"timer_create", SYS_timer_create},
      {"ioctl", SYS_ioctl},
      {"dup", SYS_dup},
      {"ftruncate", SYS_ftruncate},
      {"chdir", SYS_chdir},
      {"getdents64", SYS_getdents64},
      {"readlink", SYS_readlink},
      {"stat by statx", SYS_statx},
  };
  for (const auto& [name, call] : calls) {
    const int met = outcome([number = call] { return ::syscall(number, 0, 0, 0, 0, 0, 0); });
    EXPECT_TRUE(met == EPERM || met == -SIGSYS) << name << ": " << met;
  }
}

#if defined(__x86_64__)
// The same numbers by the kernel's other entries for programs: x32, and 32-bit calls by interrupt.
TEST(Sandbox, HoldsForOtherCallingConventions) {
  constexpr long kX32 = 0x40000000;
  const int by_x32 = outcome([] { return ::syscall(kX32 | SYS_open, "/etc/passwd", O_RDONLY); });
  EXPECT_TRUE(by_x32 == EPERM || by_x32 == ENOSYS || by_x32 == -SIGSYS) << by_x32;
  const int by_interrupt = outcome([] {
    long result = 20;  // getpid of 32-bit programs, which is writev of 64-bit ones
    asm volatile("int $0x80" : "+a"(result) : : "memory");
    return result;
  });
  EXPECT_TRUE(by_interrupt == -SIGSYS || by_interrupt == -SIGSEGV || by_interrupt == EPERM) << by_interrupt;
}
#endif

TEST(Sandbox, LetsThreadsMemoryAndTheClockWork) {
  EXPECT_EQ(outcome([]() -> long {
              std::atomic<int> sum{0};
              for (int i = 1; i <= 3; ++i) std::thread([&, i] { sum += i; }).join();
              std::vector<char> large(50'000'000, 'x');
              std::this_thread::sleep_for(std::chrono::milliseconds(1));
              return sum == 6 && large.back() == 'x' && std::chrono::steady_clock::now().time_since_epoch().count() > 0
                         ? 0
                         : -1;
            }),
            kSucceeded);
}

TEST(Sandbox, HoldsForThreadsThatWereThereBefore) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::atomic<bool> inside{false};
    int met = 0;
    std::thread earlier([&] {
      while (!inside) std::this_thread::yield();
      met = ::open("/dev/null", O_RDONLY) < 0 ? errno : kSucceeded;
    });
    enter_sandbox();
    inside = true;
    earlier.join();
    ::_exit(met);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, EPERM);
}

TEST(Sandbox, AbortStillAborts) {
  EXPECT_EQ(outcome([]() -> long { std::abort(); }), -SIGABRT);
}

TEST(Rlimits, BoundFilesAndProcessorTime) {
  const pid_t child = ::fork();
  if (child == 0) {
    apply_rlimits({.cpu_seconds = 7, .output_mb = 1});
    rlimit cpu{}, files{}, core{}, descriptors{};
    ::getrlimit(RLIMIT_CPU, &cpu);
    ::getrlimit(RLIMIT_FSIZE, &files);
    ::getrlimit(RLIMIT_CORE, &core);
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    ::_exit(cpu.rlim_cur == 7 && cpu.rlim_max == 8 && files.rlim_max == 1 << 20 && core.rlim_max == 0 &&
                    descriptors.rlim_max == 16
                ? 0
                : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace reeltag::media
