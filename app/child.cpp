#include "child.hpp"

#include <algorithm>
#include <csignal>
#include <optional>

#include <nlohmann/json.hpp>

namespace reeltag::app {
namespace {

constexpr int kSignals = 128;  // and the signal's number, as a shell counts

Code code_named(const std::string& name) {
  for (int c = 0; c < static_cast<int>(Code::internal); ++c) {
    if (code_name(static_cast<Code>(c)) == name) return static_cast<Code>(c);
  }
  return Code::internal;
}

std::optional<Error> last_error(const std::string& log) {
  std::optional<Error> last;
  for (std::size_t begin = 0; begin < log.size();) {
    const std::size_t end = std::min(log.find('\n', begin), log.size());
    const auto line = nlohmann::json::parse(log.substr(begin, end - begin), nullptr, false);
    if (line.is_object() && line.contains("error") && line["error"].is_object())
      last = Error{code_named(line["error"].value("code", "")), line["error"].value("message", "")};
    begin = end + 1;
  }
  return last;
}

}  // namespace

Error error_of(const RunResult& done) {
  if (done.status == kSignals + SIGKILL) return {Code::unavailable, "killed, most likely for want of memory"};
  if (done.status > kSignals) return {Code::unavailable, "killed by signal " + std::to_string(done.status - kSignals)};
  const auto last = last_error(done.err);
  return last ? *last : Error{Code::unavailable, "ended with status " + std::to_string(done.status)};
}

}  // namespace reeltag::app
