// For tests: a forked child process that can be killed at any moment. Owns it: the destructor kills and reaps it. Fork
// while the test has only one thread.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

namespace reeltag::test {

class Child {
 public:
  // output() returns the lines that body passes to write_line(). The child exits with status 0 when body returns, 1
  // when it throws.
  using WriteLine = std::function<void(std::string_view)>;
  explicit Child(const std::function<void(const WriteLine&)>& body) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ < 0) std::abort();
    if (pid_ == 0) run(body, ends[1]);
    ::close(ends[1]);
    reader_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    kill();
    ::close(reader_);
  }

  // Sends SIGKILL, which the child cannot handle.
  void kill() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    wait();
  }

  // The exit status; -1 if a signal ended the child.
  int wait() {
    if (pid_ <= 0) return status_;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // Reads up to and including the next newline; shorter at the end of the output.
  std::string read_line() {
    std::string line;
    char c = 0;
    while ((line.empty() || line.back() != '\n') && ::read(reader_, &c, 1) == 1) line += c;
    return line;
  }

  // Reads all remaining output; blocks until the child has ended.
  std::string output() {
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(reader_, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  [[noreturn]] static void run(const std::function<void(const WriteLine&)>& body, int writer) {
    try {
      body([writer](std::string_view text) {
        const auto line = std::string(text) + "\n";
        if (::write(writer, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(2);
      });
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }

  pid_t pid_ = 0;
  int reader_ = -1;
  int status_ = -1;
};

}  // namespace reeltag::test
