#include "sources/bridge.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "reeltag/base/json.hpp"
#include "sources/bridge_python.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollEvery{50};        // interval of checks for a stop
constexpr std::size_t kMaxAnswer = 64 << 20, kTail = 500;  // bytes

// Above 0, 1 and 2, which the child replaces.
Descriptor above_standard(int number) {
  const Descriptor low(number);
  Descriptor high(::fcntl(low.get(), F_DUPFD_CLOEXEC, 3));
  if (!high.is_open()) throw Exception(Code::unavailable, "no file descriptor is left");
  return high;
}

std::pair<Descriptor, Descriptor> make_pair(bool both_ways) {
  int ends[2] = {-1, -1};
  const int failed = both_ways ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) : ::pipe2(ends, O_CLOEXEC);
  if (failed != 0) throw Exception(Code::unavailable, "cannot make a pipe: " + std::generic_category().message(errno));
  auto first = above_standard(ends[0]);
  return {std::move(first), above_standard(ends[1])};
}

// Neither proxies, which a browser would use, nor credentials of anything else: what runs here loads pages of
// strangers.
std::vector<std::string> environment_of_child() {
  static constexpr std::array<std::string_view, 1> kOwn{"REELTAG_TIKTOK_MS_TOKEN"};
  return reduced_environment(kOwn);
}

}  // namespace

Result<void> Bridge::start(const std::vector<std::string>& command) {
  end();
  if (is_spent()) {
    return fail(Code::unavailable, "its program was started " + std::to_string(starts_) + " times and ended each time");
  }
  ++starts_;
  auto [ours, theirs] = make_pair(true);
  auto [words, error] = make_pair(false);
  auto process = Process::start(
      command, {.in = theirs.get(), .out = theirs.get(), .err = error.get(), .environment = environment_of_child()});
  if (!process) return tl::unexpected(process.error());
  process_.emplace(std::move(*process));
  channel_ = std::move(ours);
  words_ = std::move(words);
  for (const auto* end : {&channel_, &words_}) ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  return {};
}

void Bridge::end() {
  channel_.close();  // signals the guard to end
  if (process_) {
    process_->wait(options_.grace);
    process_->end();
  }
  process_.reset();
  words_.close();
  read_.clear();
  said_.clear();
}

Result<nlohmann::json> Bridge::ask(const nlohmann::json& request, std::chrono::milliseconds deadline) {
  if (!process_) return fail(Code::unavailable, "its program does not run");
  const auto text = dump_json(request) + "\n";
  if (::send(channel_.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    return tl::unexpected(gone());
  }
  const auto answer = line(SteadyClock::now() + deadline);
  if (!answer) return tl::unexpected(answer.error());
  auto parsed = parse_json(*answer, "the bridge's answer");
  if (parsed && parsed->is_object()) return parsed;
  end();  // later output might answer another request
  return fail(Code::unavailable, "its program said what is no JSON object");
}

// The next line of the program's output.
Result<std::string> Bridge::line(SteadyClock::time_point until) {
  for (;;) {
    if (const auto at = read_.find('\n'); at != std::string::npos) {
      auto found = read_.substr(0, at);
      read_.erase(0, at + 1);
      return found;
    }
    if (options_.stop.stop_requested()) {
      end();
      throw Exception(Code::interrupted, "collection stopped; what was stored stays. Run it again to go on");
    }
    if (SteadyClock::now() > until || read_.size() > kMaxAnswer) {
      const bool late = read_.size() <= kMaxAnswer;
      end();
      return fail(late ? Code::timeout : Code::too_large,
                  late ? "no answer in time; its program was ended" : "an endless answer; its program was ended");
    }
    std::array<pollfd, 2> ends{{{channel_.get(), POLLIN, 0}, {words_.get(), POLLIN, 0}}};
    if (::poll(ends.data(), ends.size(), static_cast<int>(kPollEvery.count())) <= 0) continue;
    if (ends[1].revents != 0 && !take(words_, said_)) words_.close();
    if (said_.size() > 2 * kTail) said_.erase(0, said_.size() - kTail);
    if (ends[0].revents != 0 && !take(channel_, read_)) return tl::unexpected(gone());
  }
}

// False at the end of the stream.
bool Bridge::take(Descriptor& from, std::string& to) {
  std::array<char, 65536> buffer;
  const auto got = ::read(from.get(), buffer.data(), buffer.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  to.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

Error Bridge::gone() {
  while (words_.is_open()) {
    pollfd more{words_.get(), POLLIN, 0};
    if (::poll(&more, 1, 1000) <= 0 || !take(words_, said_)) break;
  }
  auto words = said_.substr(0, said_.find_last_not_of(" \n\r\t") + 1);
  if (words.size() > kTail) words = "..." + words.substr(words.size() - kTail);
  end();
  return {Code::unavailable, "its program ended" + (words.empty() ? "" : "; its last words: " + words)};
}

fs::path find_program(const std::vector<std::string>& names) {
  const char* path = std::getenv("PATH");
  const std::string_view folders = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  for (const auto& name : names) {
    for (std::size_t at = 0; at <= folders.size();) {
      const auto end = std::min(folders.find(':', at), folders.size());
      const auto file = fs::path(folders.substr(at, end - at)) / name;
      if (file.is_absolute() && ::access(file.c_str(), X_OK) == 0) return file;
      at = end + 1;
    }
  }
  return {};
}

std::vector<std::string> guarded(const fs::path& python, const std::string& name, std::int64_t memory) {
  const auto folder = bridges_folder();
  return {python.string(), "-I", "-B", (folder / "guard.py").string(),        "--memory", std::to_string(memory), "--",
          python.string(), "-I", "-B", (folder / name / "bridge.py").string()};
}

}  // namespace reeltag::collect
