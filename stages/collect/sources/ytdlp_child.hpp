// Runs bridges/ytdlp/ask.py once: sends a job and reports result lines as they arrive, however the run ends. One
// thread. Each request of the script passes the gate first. Exception: interrupted, and what the gate throws.
//
//   const auto end = child.run({{"items", urls}}, seconds, gate, [&](const json& line) { ... });
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "crawl/source.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::collect {

class YtdlpChild {
 public:
  using OnLine = std::function<void(const nlohmann::json& line)>;

  // python: called by the first run that needs it. interval: seconds between two requests. start: seconds allowed for
  // Python and yt-dlp to start on a busy machine.
  YtdlpChild(const YtdlpConfig& config, http::ClientOptions http, double interval, std::function<std::string()> python,
             std::filesystem::path script, std::stop_token stop, double start = 30.0);

  // The error if the run did not complete. A line {"error"} for the whole job is such a SourceFailure too.
  tl::expected<void, SourceFailure> run(const nlohmann::json& job, double seconds, Gate& gate, const OnLine& on_line);

 private:
  [[nodiscard]] std::chrono::milliseconds longest(const nlohmann::json& job, double seconds) const;
  [[nodiscard]] std::string input_of(const nlohmann::json& job, double seconds) const;

  YtdlpConfig config_;
  http::ClientOptions http_;
  double interval_;
  std::function<std::string()> python_;
  std::filesystem::path script_;
  std::stop_token stop_;
  double start_;
};

}  // namespace reeltag::collect
