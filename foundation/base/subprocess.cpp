#include "reeltag/base/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include "reeltag/base/descriptor.hpp"
#include "system_error.hpp"

namespace reeltag {
namespace {

using Clock = std::chrono::steady_clock;

// How often a waiting run checks the deadline and the stop token. The child's end and output wake it at once.
constexpr std::chrono::milliseconds kLook{20};

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};

// Close-on-exec, and never 0, 1 or 2, which are replaced in the child.
Descriptor above_standard(int number) {
  Descriptor low(number);
  if (number > 2) return low;
  return Descriptor(::fcntl(number, F_DUPFD_CLOEXEC, 3));
}

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Exception(system_error(errno, "cannot make a pipe"));
  Pipe made{above_standard(ends[0]), above_standard(ends[1])};
  if (!made.read_end.is_open() || !made.write_end.is_open()) {
    throw Exception(system_error(errno, "cannot make a pipe"));
  }
  return made;
}

void set_nonblocking(const Descriptor& end) { ::fcntl(end.get(), F_SETFL, ::fcntl(end.get(), F_GETFL) | O_NONBLOCK); }

// Blocks SIGPIPE in this thread and consumes the one caused by writing to a child that has ended.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec now{};
    if (!was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

std::vector<std::string> merged_environment(const RunOptions& options) {
  std::vector<std::string> all, from;
  if (options.reduced) {
    from = reduced_environment();
  } else {
    for (char** entry = environ; *entry != nullptr; ++entry) from.emplace_back(*entry);
  }
  for (const std::string_view text : from) {
    const auto name = text.substr(0, text.find('='));
    const auto replaced = [&](const auto& added) { return added.first == name; };
    if (std::none_of(options.environment.begin(), options.environment.end(), replaced)) all.emplace_back(text);
  }
  for (const auto& [name, value] : options.environment) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const auto& text : texts)
    out.push_back(const_cast<char*>(text.c_str()));  // for the C interface; never written to
  out.push_back(nullptr);
  return out;
}

// The child's initial state: the two C structures of posix_spawn, freed in any case.
class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  void give(int ours, int theirs) { also(posix_spawn_file_actions_adddup2(&actions_, ours, theirs)); }
  void give_null(int theirs) { also(posix_spawn_file_actions_addopen(&actions_, theirs, "/dev/null", O_RDWR, 0)); }
  // Closes descriptors that libraries opened without CLOEXEC.
  void close_from(int first) { also(posix_spawn_file_actions_addclosefrom_np(&actions_, first)); }
  void go_to(const std::filesystem::path& folder) {
    also(posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()));
  }

  Result<pid_t> spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                      const std::string& where = "");

 private:
  void also(int result) { problem_ = problem_ == 0 ? result : problem_; }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  int problem_ = 0;
};

Result<pid_t> SpawnSetup::spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                                const std::string& where) {
  sigset_t none;
  sigset_t every;
  sigemptyset(&none);
  sigfillset(&every);
  also(posix_spawnattr_setsigmask(&attributes_, &none));
  also(posix_spawnattr_setsigdefault(&attributes_, &every));
  also(posix_spawnattr_setpgroup(&attributes_, 0));
  also(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  pid_t child = -1;
  if (problem_ == 0) {
    problem_ = posix_spawnp(&child, arguments[0].c_str(), &actions_, &attributes_, pointers(arguments).data(),
                            pointers(environment).data());
  }
  if (problem_ == 0) return child;
  const auto what = "cannot start '" + arguments[0] + "'" + where;
  if (problem_ == ENOENT) return fail(Code::not_found, what + ": no such program or folder; is it installed?");
  return fail(system_error(problem_, what));
}

struct Pipes {
  Pipe in, out, err;
};

Result<pid_t> spawn(const std::vector<std::string>& arguments, const RunOptions& options, const Pipes& pipes) {
  SpawnSetup setup;
  setup.give(pipes.in.read_end.get(), 0);
  setup.give(pipes.out.write_end.get(), 1);
  setup.give(pipes.err.write_end.get(), 2);
  setup.close_from(3);
  if (options.folder.empty()) return setup.spawn(arguments, merged_environment(options));
  setup.go_to(options.folder);
  return setup.spawn(arguments, merged_environment(options), " in '" + options.folder.string() + "'");
}

// By number: glibc 2.36's header declares pidfd_open without C linkage. The descriptor is always close-on-exec.
int open_pidfd(pid_t process) { return static_cast<int>(::syscall(SYS_pidfd_open, process, 0)); }

// The child's process group. The child is reaped only after the last kill, so that its number cannot be reused for
// another group in between.
class Group {
 public:
  explicit Group(pid_t leader) : leader_(leader), end_descriptor_(open_pidfd(leader)) {}
  ~Group() { (void)end(); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  void signal(int number) const { ::kill(-leader_, number); }

  [[nodiscard]] int end_descriptor() const { return end_descriptor_.get(); }

  [[nodiscard]] bool leader_ended() const {
    siginfo_t info{};
    // Fails if the process ignores SIGCHLD: the system has already reaped the child.
    return ::waitid(P_PID, static_cast<id_t>(leader_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
  }

  // Kills the rest of the group and reaps the leader. Returns its status as a shell would.
  int end() {
    if (leader_ < 0) return status_;
    signal(SIGKILL);
    int raw = 255 << 8;  // kept if the system has already reaped the child
    while (::waitpid(leader_, &raw, 0) < 0 && errno == EINTR) {
    }
    leader_ = -1;
    status_ = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return status_;
  }

 private:
  pid_t leader_;
  Descriptor end_descriptor_;
  int status_ = 0;
};

// Writes the input of a running child and reads its outputs.
class Exchange {
 public:
  Exchange(Pipes& pipes, const RunOptions& options) : pipes_(pipes), options_(options), input_(options.input) {
    set_nonblocking(pipes.in.write_end);
    set_nonblocking(pipes.out.read_end);
    set_nonblocking(pipes.err.read_end);
    if (input_.empty()) pipes_.in.write_end.close();
  }

  // Transfers available bytes, waiting for at most `wait`.
  // child_end becomes readable when the child ends; -1 if the kernel has no such descriptor.
  void step(std::chrono::milliseconds wait, int child_end) {
    std::array<pollfd, 4> ends{{{pipes_.in.write_end.get(), POLLOUT, 0},
                                {pipes_.out.read_end.get(), POLLIN, 0},
                                {pipes_.err.read_end.get(), POLLIN, 0},
                                {child_end, POLLIN, 0}}};  // poll ignores closed ends (-1)
    if (::poll(ends.data(), ends.size(), static_cast<int>(wait.count())) <= 0) return;
    if (ends[0].revents != 0) feed();
    if (ends[1].revents != 0) drain_out();
    if (ends[2].revents != 0) drain(pipes_.err.read_end, result.err);
  }

  // Reads the rest of the pipes after the program has ended.
  void drain_rest() {
    drain_out();
    drain(pipes_.err.read_end, result.err);
  }

  [[nodiscard]] bool over_limit() const { return over_limit_; }

  RunResult result;

 private:
  void feed() {
    const NoSigpipe quiet;
    const auto put = ::write(pipes_.in.write_end.get(), input_.data(), input_.size());
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (put > 0) input_.remove_prefix(static_cast<std::size_t>(put));
    if (put < 0 || input_.empty()) pipes_.in.write_end.close();  // a child that stops reading is not a failure
  }

  void drain_out() {
    drain(pipes_.out.read_end, result.out);
    if (!options_.on_out || result.out.empty()) return;
    const auto piece = std::exchange(result.out, {});
    options_.on_out(piece);
  }

  void drain(Descriptor& from, std::string& to) {
    std::array<char, 65536> buffer;
    while (from.is_open()) {
      const auto got = ::read(from.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return from.close();
      const auto room = options_.max_output_bytes - static_cast<std::int64_t>(to.size());
      to.append(buffer.data(),
                static_cast<std::size_t>(std::clamp<std::int64_t>(got, 0, std::max<std::int64_t>(room, 0))));
      if (got > room) {
        over_limit_ = true;
        return;
      }
    }
  }

  Pipes& pipes_;
  const RunOptions& options_;
  std::string_view input_;
  bool over_limit_ = false;
};

Result<void> check(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0].empty()) return fail(Code::invalid_argument, "no program to run");
  for (const auto& argument : arguments) {
    if (argument.find('\0') != std::string::npos) {
      return fail(Code::invalid_argument, arguments[0] + ": an argument holds a zero byte");
    }
  }
  return {};
}

std::string tail_of(const std::string& err) {
  constexpr std::size_t kTail = 500;
  const auto end = err.find_last_not_of(" \n\r\t");
  if (end == std::string::npos) return "";
  const auto text = err.substr(0, end + 1);
  return "; its last words: " + (text.size() > kTail ? "..." + text.substr(text.size() - kTail) : text);
}

std::string seconds_text(std::chrono::milliseconds time) {
  auto text = std::to_string(static_cast<double>(time.count()) / 1000.0);
  return text.substr(0, text.find('.') + 2) + " s";
}

Result<RunResult> follow(Group& group, Exchange& exchange, const std::string& program, const RunOptions& options,
                         Clock::time_point deadline) {
  std::optional<Error> ending;  // the reason for ending the child, if any
  Clock::time_point kill_at = Clock::time_point::max();
  for (;;) {
    exchange.step(kLook, group.end_descriptor());
    if (group.leader_ended()) break;
    const auto now = Clock::now();
    if (now >= kill_at) break;
    if (ending) continue;
    if (exchange.over_limit()) {
      ending = Error{Code::too_large, program + " wrote over " + std::to_string(options.max_output_bytes) + " bytes"};
      break;  // its output is no longer read, so it gets no grace period
    }
    if (options.stop.stop_requested()) {
      ending = Error{Code::interrupted, program + " was stopped"};
    } else if (now >= deadline) {
      ending = Error{Code::timeout, program + " had not ended after " + seconds_text(options.deadline)};
    }
    if (ending) {
      group.signal(SIGTERM);
      kill_at = now + options.grace;
    }
  }
  const int status = group.end();
  exchange.drain_rest();
  if (!ending && exchange.over_limit()) {
    ending = Error{Code::too_large, program + " wrote over " + std::to_string(options.max_output_bytes) + " bytes"};
  }
  if (ending) {
    ending->message += tail_of(exchange.result.err);
    return fail(*ending);
  }
  exchange.result.status = status;
  return std::move(exchange.result);
}

}  // namespace

std::vector<std::string> reduced_environment(std::span<const std::string_view> also) {
  static constexpr std::array<std::string_view, 19> kNeeded{"PATH",
                                                            "HOME",
                                                            "USER",
                                                            "LOGNAME",
                                                            "LANG",
                                                            "LANGUAGE",
                                                            "TZ",
                                                            "TMPDIR",
                                                            "SSL_CERT_FILE",
                                                            "DISPLAY",
                                                            "XAUTHORITY",
                                                            "XDG_RUNTIME_DIR",
                                                            "WAYLAND_DISPLAY",
                                                            "TERM",
                                                            "LD_LIBRARY_PATH",
                                                            "SSL_CERT_DIR",
                                                            "FONTCONFIG_PATH",
                                                            "FONTCONFIG_FILE",
                                                            "PLAYWRIGHT_BROWSERS_PATH"};
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry), name = text.substr(0, text.find('='));
    const auto is_name = [&](std::string_view one) { return one == name; };
    if (name.starts_with("LC_") || std::any_of(kNeeded.begin(), kNeeded.end(), is_name) ||
        std::any_of(also.begin(), also.end(), is_name))
      kept.emplace_back(text);
  }
  return kept;
}

Result<RunResult> run(const std::vector<std::string>& arguments, const RunOptions& options) {
  if (auto fine = check(arguments); !fine) return fail(fine.error());
  const auto deadline = Clock::now() + options.deadline;
  try {
    Pipes pipes{make_pipe(), make_pipe(), make_pipe()};
    const auto child = spawn(arguments, options, pipes);
    if (!child) return fail(child.error());
    Group group(*child);
    pipes.in.read_end.close();
    pipes.out.write_end.close();
    pipes.err.write_end.close();
    Exchange exchange(pipes, options);
    return follow(group, exchange, arguments[0], options, deadline);
  } catch (const Exception& error) {
    return fail(error.error());
  }
}

struct Process::Impl {
  explicit Impl(pid_t child) : id(child), group(child) {}
  pid_t id;
  Group group;
};

Process::Process(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

Result<Process> Process::start(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  if (auto fine = check(arguments); !fine) return fail(fine.error());
  SpawnSetup setup;
  // First: the descriptor may be one of those replaced next.
  if (options.descriptor >= 0) setup.give(options.descriptor, 3);
  const std::array standard{options.in, options.out, options.err};
  for (int number = 0; number < 3; ++number) {
    const int ours = standard.at(static_cast<std::size_t>(number));
    ours >= 0 ? setup.give(ours, number) : setup.give_null(number);
  }
  setup.close_from(options.descriptor >= 0 ? 4 : 3);
  const auto child = setup.spawn(arguments, options.environment);
  if (!child) return fail(child.error());
  return Process(std::make_unique<Impl>(*child));
}

int Process::id() const { return impl_->id; }

bool Process::wait(std::chrono::milliseconds time) {
  const auto deadline = Clock::now() + time;
  while (!impl_->group.leader_ended()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    pollfd end{impl_->group.end_descriptor(), POLLIN, 0};
    // Without such a descriptor poll only sleeps.
    ::poll(&end, 1, static_cast<int>(std::min(left, end.fd < 0 ? kLook : std::chrono::milliseconds{1000}).count()));
  }
  return true;
}

int Process::end() { return impl_->group.end(); }

}  // namespace reeltag
