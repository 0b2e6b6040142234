// Other programs: run() waits for one, with deadline and bounded output; Process is one that runs beside us.
// Argument vectors, never a shell.
// The child has a process group of its own, no descriptors but 0, 1 and 2, default signals. The group is killed as a
// whole at the deadline, and whatever the program leaves running in it is killed when the program itself ends.
// Any thread, any number at once.
// Failure: not_found (no such program), timeout, too_large (output over the limit), interrupted (stop requested),
// invalid_argument, unavailable. A non-zero exit status is no failure.
//
//   auto done = run({"ffprobe", "-v", "error", path.string()}, {.deadline = std::chrono::seconds(10)});
//   if (done && done->status == 0) parse(done->out);
//
// Process: one thread at a time; owns the program, which does not outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag {

struct RunOptions {
  std::string input = {};                                             // bytes for its stdin, which then ends
  std::chrono::milliseconds deadline{60'000};                         // from the start; then SIGTERM to the group
  std::chrono::milliseconds grace{2'000};                             // from SIGTERM to SIGKILL
  std::filesystem::path folder = {};                                  // working directory; empty: ours
  std::vector<std::pair<std::string, std::string>> environment = {};  // added to ours, or replacing
  std::int64_t max_output_bytes = 64LL << 20;                         // of stdout and of stderr, each
  std::stop_token stop = {};                                          // ends it as the deadline does
  // Gets stdout as it comes, in place of RunResult::out, and so has it whatever way the program ends. From the caller's
  // thread; what it throws as Exception ends the program and comes back as the Error.
  std::function<void(std::string_view)> on_out = {};
};

struct RunResult {
  int status = 0;   // exit status; 128 + n when signal n ended it
  std::string out;  // stdout
  std::string err;  // stderr
};

// arguments[0] is the program, looked up in PATH when it has no slash.
Result<RunResult> run(const std::vector<std::string>& arguments, const RunOptions& options = {});

struct ProcessOptions {
  int descriptor = -1;                        // of ours, the child's 3; -1: the child has none but 0, 1 and 2
  int in = -1, out = -1, err = -1;            // of ours, the child's 0, 1 and 2; -1: /dev/null
  std::vector<std::string> environment = {};  // all of it, "NAME=value"
};

// A program that runs beside us in a process group of its own.
class Process {
 public:
  // arguments[0] is the program's path. Fails with not_found, permission_denied, unavailable.
  static Result<Process> start(const std::vector<std::string>& arguments, const ProcessOptions& options = {});
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();  // ends it

  [[nodiscard]] int id() const;
  // Whether it ends by itself within this time.
  bool wait(std::chrono::milliseconds time);
  // Kills what is left of its group: the exit status, 128 + n when signal n ended it.
  int end();

 private:
  struct Impl;
  explicit Process(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag
