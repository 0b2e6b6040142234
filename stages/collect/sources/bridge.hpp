// Runs a program of bridges/ as a child process and exchanges JSON with it: one object per line, one answer per
// request. bridges/guard.py starts it and ends all its descendants, browsers too, when this object is destroyed, when
// this process is killed, and when they exceed the memory limit. One thread. Owns the process. A failure of the program
// is an Error and ends the program: timeout, unavailable (it exited; with the end of its stderr), too_large (an endless
// answer), not_found. A stop throws Exception.
//
//   Bridge bridge({.restarts = 5, .stop = token});
//   if (!bridge.runs()) value_or_throw(bridge.start(command));
//   const auto answer = bridge.ask({{"ask", "page"}}, std::chrono::seconds(60));
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/subprocess.hpp"

namespace reeltag::collect {

struct BridgeOptions {
  int restarts = 5;                         // start() calls allowed after the first
  std::chrono::milliseconds grace{10'000};  // time for the guard to end its descendants
  std::stop_token stop = {};
};

class Bridge {
 public:
  explicit Bridge(BridgeOptions options) : options_(std::move(options)) {}
  ~Bridge() { end(); }
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  [[nodiscard]] bool runs() const { return process_.has_value(); }
  [[nodiscard]] bool is_spent() const { return starts_ > options_.restarts; }
  // command[0] is the program's path. It gets our environment without proxies and other sources' credentials.
  Result<void> start(const std::vector<std::string>& command);
  Result<nlohmann::json> ask(const nlohmann::json& request, std::chrono::milliseconds deadline);
  void end();

 private:
  Result<std::string> line(std::chrono::steady_clock::time_point until);
  bool take(Descriptor& from, std::string& to);
  Error gone();

  BridgeOptions options_;
  int starts_ = 0;
  std::optional<Process> process_;
  Descriptor channel_, words_;  // its stdin and stdout; its stderr
  std::string read_, said_;     // buffered input of both
};

// The first of these programs found in PATH; empty if none is.
std::filesystem::path find_program(const std::vector<std::string>& names);

// The command that runs bridges/NAME/bridge.py with that Python, behind the guard.
std::vector<std::string> guarded(const std::filesystem::path& python, const std::string& name, std::int64_t memory);

}  // namespace reeltag::collect
