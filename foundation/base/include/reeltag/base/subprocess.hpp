// Runs another program and waits for it: argument vector (no shell), deadline, bounded output.
// The child has a process group of its own, no descriptors but 0, 1 and 2, default signals. The group is killed as a
// whole at the deadline, and whatever the program leaves running in it is killed when the program itself ends.
// Any thread, any number at once.
// Failure: not_found (no such program), timeout, too_large (output over the limit), interrupted (stop requested),
// invalid_argument, unavailable. A non-zero exit status is no failure.
//
//   auto done = run({"ffprobe", "-v", "error", path.string()}, {.deadline = std::chrono::seconds(10)});
//   if (done && done->status == 0) parse(done->out);
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
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
};

struct RunResult {
  int status = 0;   // exit status; 128 + n when signal n ended it
  std::string out;  // stdout
  std::string err;  // stderr
};

// arguments[0] is the program, looked up in PATH when it has no slash.
Result<RunResult> run(const std::vector<std::string>& arguments, const RunOptions& options = {});

}  // namespace reeltag
