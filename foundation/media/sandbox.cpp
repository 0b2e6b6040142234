#include "sandbox.hpp"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>

namespace reeltag::media {
namespace {

[[noreturn]] void throw_missing(const char* what, int problem) {
  throw Exception(Code::unavailable, std::string("this system cannot isolate the decoder: ") + what + ": " +
                                         std::strerror(problem) +
                                         "; media.isolate=never decodes videos from outside without that");
}

void limit(__rlimit_resource resource, rlim_t value, const char* name, rlim_t soft_below = 0) {
  rlimit bound{};
  ::getrlimit(resource, &bound);
  bound.rlim_max = std::min(bound.rlim_max, value);
  bound.rlim_cur = bound.rlim_max - std::min(bound.rlim_max, soft_below);
  if (::setrlimit(resource, &bound) != 0) throw_missing(name, errno);
}

// Memory, time, thread locks, and open descriptors. Files cannot be opened, so read and write reach only the video, the
// parent's socket and the memory for frames.
constexpr int kAllowed[] = {SCMP_SYS(brk),
                            SCMP_SYS(munmap),
                            SCMP_SYS(mremap),
                            SCMP_SYS(madvise),
                            SCMP_SYS(futex),
                            SCMP_SYS(set_robust_list),
                            SCMP_SYS(rseq),
                            SCMP_SYS(sched_yield),
                            SCMP_SYS(sched_getaffinity),
                            SCMP_SYS(gettid),
                            SCMP_SYS(getpid),
                            SCMP_SYS(clock_gettime),
                            SCMP_SYS(clock_nanosleep),
                            SCMP_SYS(nanosleep),
                            SCMP_SYS(gettimeofday),
                            SCMP_SYS(time),
                            SCMP_SYS(getrandom),
                            SCMP_SYS(read),
                            SCMP_SYS(pread64),
                            SCMP_SYS(write),
                            SCMP_SYS(close),
                            SCMP_SYS(poll),
                            SCMP_SYS(sendmsg),
                            SCMP_SYS(recvmsg),
                            SCMP_SYS(recvfrom),
                            SCMP_SYS(memfd_create),
                            SCMP_SYS(rt_sigaction),
                            SCMP_SYS(rt_sigprocmask),
                            SCMP_SYS(rt_sigreturn),
                            SCMP_SYS(sigaltstack),
                            SCMP_SYS(restart_syscall),
                            SCMP_SYS(exit),
                            SCMP_SYS(exit_group)};

// Calls that no decoder makes: the process has been taken over.
constexpr int kDeadly[] = {SCMP_SYS(socket),
                           SCMP_SYS(socketpair),
                           SCMP_SYS(connect),
                           SCMP_SYS(bind),
                           SCMP_SYS(listen),
                           SCMP_SYS(accept),
                           SCMP_SYS(accept4),
                           SCMP_SYS(execve),
                           SCMP_SYS(execveat),
                           SCMP_SYS(fork),
                           SCMP_SYS(vfork),
                           SCMP_SYS(ptrace),
                           SCMP_SYS(process_vm_readv),
                           SCMP_SYS(process_vm_writev),
                           SCMP_SYS(kill),
                           SCMP_SYS(tkill),
                           SCMP_SYS(mount),
                           SCMP_SYS(unshare),
                           SCMP_SYS(setns),
                           SCMP_SYS(bpf),
                           SCMP_SYS(io_uring_setup),
                           SCMP_SYS(perf_event_open),
                           SCMP_SYS(userfaultfd),
                           SCMP_SYS(keyctl),
                           SCMP_SYS(init_module),
                           SCMP_SYS(finit_module),
                           SCMP_SYS(pidfd_getfd)};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {
    if (!context_) throw_missing("seccomp", ENOMEM);
  }

  void rule(std::uint32_t action, int call) { check(seccomp_rule_add_array(context_.get(), action, call, 0, nullptr)); }
  void rule(std::uint32_t action, int call, const scmp_arg_cmp& condition) {
    check(seccomp_rule_add_array(context_.get(), action, call, 1, &condition));
  }

  // Installs the filter for all threads at once.
  void load() {
    check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    check(seccomp_load(context_.get()));
  }

 private:
  static void check(int result) {
    if (result < 0) throw_missing("seccomp", -result);
  }

  std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, decltype(&seccomp_release)> context_;
};

scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }

}  // namespace

void apply_rlimits(const WorkerLimits& limits) {
  const auto bytes = [](int mb) { return static_cast<rlim_t>(mb) << 20; };
  if (!kSanitized) limit(RLIMIT_AS, bytes(limits.memory_mb), "RLIMIT_AS");
  // SIGXCPU at the soft limit tells the parent the reason; SIGKILL follows a second later if the process catches it.
  limit(RLIMIT_CPU, static_cast<rlim_t>(limits.cpu_seconds) + 1, "RLIMIT_CPU", 1);
  // The kernel treats the memory for frames as a file, the only one that can be written.
  limit(RLIMIT_FSIZE, bytes(limits.output_mb), "RLIMIT_FSIZE");
  limit(RLIMIT_NOFILE, 16, "RLIMIT_NOFILE");
  limit(RLIMIT_CORE, 0, "RLIMIT_CORE");
  // Not RLIMIT_NPROC: it counts the user's processes everywhere. The filter refuses fork instead.
}

void enter_sandbox() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw_missing("PR_SET_NO_NEW_PRIVS", errno);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // other processes of the user cannot attach to it
  Filter filter;
  for (const int call : kAllowed) filter.rule(SCMP_ACT_ALLOW, call);
  if (kSanitized) filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(pipe2));
  for (const int call : kDeadly) filter.rule(SCMP_ACT_KILL_PROCESS, call);
  // Forbids executable memory.
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(mmap), masked(2, PROT_EXEC, 0));
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0));
  // Allows threads, not processes. clone3's flags are in memory, which a filter cannot read: without it glibc uses
  // clone.
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(clone), masked(0, CLONE_THREAD, CLONE_THREAD));
  filter.rule(SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), masked(0, CLONE_THREAD, 0));
  filter.rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), equal(1, F_ADD_SEALS));
  filter.rule(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), equal(0, static_cast<scmp_datum_t>(::getpid())));  // abort()
  filter.load();
}

}  // namespace reeltag::media
