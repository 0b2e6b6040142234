// Runs other programs: run() waits for one, with deadline and bounded output; Process runs one in the background.
// Takes argument vectors, never a shell command.
// The child gets a process group of its own, default signals and no descriptors but 0, 1 and 2. The whole group is
// killed at the deadline; processes that the program leaves running in it are killed when the program itself ends.
// run(): any thread, any number at once. Process: one thread at a time; owns the program and kills it when destroyed.
// Failure: not_found (no such program), timeout, too_large (output over the limit), interrupted (stop requested),
// invalid_argument, unavailable. A non-zero exit status is not a failure.
//
//   auto done = run({"ffprobe", "-v", "error", path.string()}, {.deadline = std::chrono::seconds(10)});
//   if (done && done->status == 0) parse(done->out);
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/base/error.hpp"

namespace reeltag {

// The caller's variables that a program of others needs to run at all (paths, locale, time zone, temporary folder,
// certificates, a display), and those named here, as "NAME=value". Everything else stays: credentials of other
// services.
std::vector<std::string> reduced_environment(std::span<const std::string_view> also = {});

struct RunOptions {
  std::string input = {};                                             // bytes for its stdin, followed by end of file
  std::chrono::milliseconds deadline{60'000};                         // from the start; then SIGTERM to the group
  std::chrono::milliseconds grace{2'000};                             // from SIGTERM to SIGKILL
  std::filesystem::path folder = {};                                  // working directory; empty: the caller's
  std::vector<std::pair<std::string, std::string>> environment = {};  // added to the caller's, or replacing
  bool reduced = false;                                               // added to reduced_environment() instead
  std::int64_t max_output_bytes = 64LL << 20;                         // of stdout and of stderr, each
  std::stop_token stop = {};                                          // ends it as the deadline does
  // Receives stdout as it arrives, in place of RunResult::out, however the program ends. Called from the caller's
  // thread; an Exception that it throws ends the program and is returned as the Error.
  std::function<void(std::string_view)> on_out = {};
};

struct RunResult {
  int status = 0;   // exit status; 128 + n if signal n ended it
  std::string out;  // stdout
  std::string err;  // stderr
};

// arguments[0] is the program; without a slash it is looked up in PATH.
Result<RunResult> run(const std::vector<std::string>& arguments, const RunOptions& options = {});

struct ProcessOptions {
  int descriptor = -1;                        // of the caller, becomes the child's 3; -1: the child has only 0, 1 and 2
  int in = -1, out = -1, err = -1;            // of the caller, become the child's 0, 1 and 2; -1: /dev/null
  std::vector<std::string> environment = {};  // the complete environment, "NAME=value"
};

// A program that runs in the background in a process group of its own.
class Process {
 public:
  // arguments[0] is the program's path. Fails with not_found, permission_denied, unavailable.
  static Result<Process> start(const std::vector<std::string>& arguments, const ProcessOptions& options = {});
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();  // calls end()

  [[nodiscard]] int id() const;
  // Waits at most this long; true if the program has ended by itself.
  bool wait(std::chrono::milliseconds time);
  // Kills what is left of its group. Returns the exit status, 128 + n if signal n ended it.
  int end();

 private:
  struct Impl;
  explicit Process(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag
