// This program as a child of its own, for work that may take a process down. Functions; any thread.
//
//   const auto done = run({"/proc/self/exe", "--json", "models", "check", folder});
//   if (done && done->status != 0) throw Exception(error_of(*done));
#pragma once

#include "reeltag/base/error.hpp"
#include "reeltag/base/subprocess.hpp"

namespace reeltag::app {

// Of a child that ran with --json and failed: its own last error; else unavailable with the signal or the status that
// it ended with.
Error error_of(const RunResult& done);

}  // namespace reeltag::app
