#include "history.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <thread>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/base/time.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kMaxHistory = 64LL << 20;  // bytes; some 300,000 changes
constexpr std::size_t kMaxBy = 200, kMaxWhy = 4000;
constexpr std::chrono::seconds kPatience{600};
constexpr std::chrono::milliseconds kPause{20};
constexpr std::array<const char*, 5> kActNames{"publish", "evaluate", "promote", "rollback", "remove"};

Act act_named(const std::string& name) {
  const auto it = std::find(kActNames.begin(), kActNames.end(), name);
  if (it == kActNames.end()) throw Exception(Code::corrupt, "'" + name + "' is nothing that can be done");
  return static_cast<Act>(it - kActNames.begin());
}

bool moves(const Change& c) { return c.act == Act::promote || c.act == Act::rollback; }

Change change_from(const json& j) {
  Change c{.number = j.at("n").get<std::int64_t>(),
           .act = act_named(j.at("act").get<std::string>()),
           .version = j.at("version").get<std::int64_t>(),
           .by = j.at("by").get<std::string>(),
           .at = j.at("at").get<std::string>(),
           .why = j.value("why", "")};
  if (moves(c)) {
    c.alias = j.at("alias").get<std::string>();
    c.from = j.at("from").get<std::int64_t>();
  }
  if (c.act == Act::publish) c.record = j.at("record").get<std::string>();
  if (c.act == Act::evaluate) c.figures = j.at("figures").dump();
  return c;
}

std::string line_of(const Change& c) {
  nlohmann::ordered_json out = to_json(c);
  if (c.act == Act::publish) out["record"] = c.record;
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string user_at_host() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {"localhost"};
  std::array<char, 4096> text{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::geteuid(), &entry, text.data(), text.size(), &found);
  return (found == nullptr ? std::to_string(::geteuid()) : std::string(entry.pw_name)) + "@" + host.data();
}

}  // namespace

const char* act_name(Act act) { return kActNames.at(static_cast<std::size_t>(act)); }

Lock::Lock(const fs::path& folder) {
  const auto path = folder / ".lock";
  file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file_.is_open())
    throw Exception(Code::permission_denied, "cannot write " + path.string() + ": " + std::strerror(errno));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    stop::throw_if_requested();
    if (std::chrono::steady_clock::now() > deadline)
      throw Exception(Code::unavailable,
                      path.string() + ": another process has worked there for ten minutes; try again");
    std::this_thread::sleep_for(kPause);
  }
}

fs::path history_file(const fs::path& folder) { return folder / "history.jsonl"; }

std::vector<Change> read_history(const fs::path& folder) {
  const auto file = history_file(folder);
  const auto text = read_file(file, kMaxHistory);
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) throw Exception(text.error());
  std::vector<Change> changes;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::string place = file.string() + ":" + std::to_string(changes.size() + 1);
    try {
      changes.push_back(change_from(value_or_throw(parse_json(text->substr(begin, end - begin), place))));
    } catch (const std::exception& e) {
      throw Exception(Code::corrupt, place + ": " + e.what());
    }
    if (changes.back().number != static_cast<std::int64_t>(changes.size()))
      throw Exception(Code::corrupt, place + ": says that it is line " + std::to_string(changes.back().number));
    begin = end + 1;
  }
  return changes;
}

const Change& append(const fs::path& folder, std::vector<Change>& changes, Change change) {
  change.number = static_cast<std::int64_t>(changes.size()) + 1;
  if (change.at.empty()) change.at = now_utc();
  std::string text;
  for (const auto& c : changes) text += line_of(c);
  write_file(history_file(folder), text + line_of(change));
  changes.push_back(std::move(change));
  return changes.back();
}

Named named_by_aliases(const std::vector<Change>& changes) {
  Named named;
  for (const auto& c : changes) {
    if (!moves(c)) continue;
    auto& past = named[c.alias];
    if (c.act == Act::promote) past.push_back(c.version);
    if (c.act == Act::promote) continue;
    while (!past.empty() && past.back() == c.from) past.pop_back();
    while (!past.empty() && past.back() != c.version) past.pop_back();
    if (past.empty())
      throw Exception(Code::corrupt, "line " + std::to_string(c.number) + " of the history rolls " + c.alias +
                                         " back to a version that it never named");
  }
  return named;
}

std::set<std::int64_t> removed_versions(const std::vector<Change>& changes) {
  std::set<std::int64_t> removed;
  for (const auto& c : changes) {
    if (c.act == Act::remove) removed.insert(c.version);
  }
  return removed;
}

std::string now_utc() { return utc_text(std::time(nullptr), "%Y-%m-%dT%H:%M:%SZ"); }

Author checked(const Author& author) {
  if (author.by.size() > kMaxBy || author.why.size() > kMaxWhy)
    throw Exception(Code::invalid_argument,
                    "who has at most " + std::to_string(kMaxBy) + " bytes, why " + std::to_string(kMaxWhy));
  return {.by = author.by.empty() ? user_at_host() : author.by, .why = author.why};
}

}  // namespace reeltag::registry
