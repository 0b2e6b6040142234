#include "sagemaker/command_runner.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>

#include "child.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/stop.hpp"

namespace reeltag::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPollEvery = std::chrono::milliseconds(100);
constexpr auto kGrace = std::chrono::seconds(110);  // SIGKILL comes 120 s after SIGTERM
constexpr int kSomeFailed = 3;                      // the exit status of a command that finished

// Ours, with these before it.
std::vector<std::string> environment_with(const std::vector<Variable>& variables) {
  std::vector<std::string> all;
  for (const auto& [name, value] : variables) all.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto name = text.substr(0, text.find('='));
    if (std::none_of(variables.begin(), variables.end(), [&](const auto& one) { return one.first == name; }))
      all.emplace_back(text);
  }
  return all;
}

std::string text_from(const std::filesystem::path& file, std::int64_t at) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(at);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string all_of(const Descriptor& file) {
  std::string text;
  std::array<char, 1 << 16> part{};
  for (;;) {
    const auto got = ::pread(file.get(), part.data(), part.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

// Until it ends by itself or, asked to stop, its grace is over.
int wait_for(Process& child, const std::function<void()>& look) {
  std::optional<Clock::time_point> asked;
  while (!child.wait(kPollEvery)) {
    look();
    if (!asked && stop::token().stop_requested()) {
      asked = Clock::now();
      ::kill(child.id(), SIGTERM);
    }
    if (asked && Clock::now() > *asked + kGrace) break;
  }
  return child.end();
}

}  // namespace

void CommandRunner::show_log() {
  const auto text = text_from(options_.log, shown_);
  shown_ += static_cast<std::int64_t>(text.size());
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string CommandRunner::run(const std::vector<std::string>& command, const std::vector<Variable>& variables,
                               const std::function<void()>& meanwhile) {
  stop::throw_if_requested();
  std::vector<std::string> arguments{"/proc/self/exe", "--home", options_.home.string(), "--json"};
  arguments.insert(arguments.end(), options_.globals.begin(), options_.globals.end());
  arguments.insert(arguments.end(), command.begin(), command.end());
  const Descriptor out = open_unnamed_file(options_.home);
  const Descriptor log(::open(options_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log.is_open()) throw Exception(Code::unavailable, "cannot write " + options_.log.string());
  const auto log_begin = shown_;
  auto child = value_or_throw(
      Process::start(arguments, {.out = out.get(), .err = log.get(), .environment = environment_with(variables)}));
  const int status = wait_for(child, [&] {
    show_log();
    if (meanwhile) meanwhile();
  });
  show_log();
  if (meanwhile) meanwhile();
  stop::throw_if_requested();
  RunResult done{.status = status, .out = all_of(out), .err = text_from(options_.log, log_begin)};
  if (status == 0 || status == kSomeFailed) return done.out;
  const auto error = error_of(done);
  throw Exception(error.code, command.front() + ": " + error.message);
}

}  // namespace reeltag::app
