#include "reeltag/collection.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "crawl/engine.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/subprocess.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/hashtag.hpp"
#include "sources/bridge_python.hpp"
#include "sources/research.hpp"
#include "sources/tiktok.hpp"
#include "sources/ytdlp.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// per_minute: requests; 0 if no request will be sent.
std::unique_ptr<Source> source_of(const CollectConfig& config, const CollectOptions& options, Clock& clock,
                                  double per_minute) {
  if (config.source == "ytdlp") {
    const auto python = [home = options.home, stop = options.stop, given = config.ytdlp.python] {
      return given.empty() ? python_of("ytdlp", home, stop).string() : given;
    };
    return std::make_unique<YtdlpSource>(
        config.ytdlp, YtdlpChild(config.ytdlp, options.http, per_minute > 0 ? 60.0 / per_minute : 0.0, python,
                                 bridges_folder() / "ytdlp" / "ask.py", options.stop));
  }
  if (config.source == "research") {
    return std::make_unique<ResearchSource>(config.research, research_credentials(), options.http, clock);
  }
  if (config.source == "tiktok") {
    return std::make_unique<TikTokSource>(
        config.tiktok, [=] { return tiktok_command(config.tiktok, options.home, options.stop); }, options.stop);
  }
  throw Exception(Code::invalid_argument, "no source '" + config.source + "'; there are: research, tiktok, ytdlp");
}

// Videos are fetched through the same proxy and certificates as the source's pages.
CollectOptions options_of(const CollectConfig& config, CollectOptions options) {
  if (config.source == "ytdlp") options.http.proxy = config.ytdlp.proxy;
  if (config.source == "tiktok") {
    options.http.proxy = config.tiktok.proxy;
    if (!config.tiktok.ca_file.empty()) options.http.ca_file = config.tiktok.ca_file;
  }
  return options;
}

// Includes addresses, if the source accepts them.
std::vector<std::string> configured_hashtags(const CollectConfig& config) {
  auto hashtags = hashtag::normalize_all(config.hashtags);
  if (config.source == "ytdlp") {
    for (auto& address : ytdlp_addresses(config.ytdlp)) hashtags.push_back(std::move(address));
  }
  if (hashtags.empty()) {
    throw Exception(Code::invalid_argument,
                    "collect: no hashtag; give --hashtag NAME, or collect.hashtags in config.yaml");
  }
  return hashtags;
}

// Held while the descriptor is open.
Descriptor lock(const fs::path& home, const std::string& source) {
  const auto folder = home / "collect";
  fs::create_directories(folder);
  const auto path = folder / (source + ".lock");
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file.is_open()) throw Exception(Code::permission_denied, "cannot write " + path.string());
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Exception(Code::unavailable, "another collection from " + source + " is running in " + home.string());
  }
  return file;
}

json policy_json(const Policy& policy) {
  return {{"terms", policy.terms},
          {"allowed_by", policy.allowed_by},
          {"requests_per_minute", policy.requests_per_minute},
          {"retention_days", policy.retention_days}};
}

}  // namespace

CollectReport collect(const CollectConfig& config, const CollectOptions& options, catalog::Catalog& catalog,
                      store::Store& store, const OnFailure& on_failure) {
  SystemClock clock;
  const auto hashtags = configured_hashtags(config);
  const auto policy = read_policy(policy_file(options.home, config.source));
  const auto source = source_of(config, options, clock, policy.requests_per_minute);
  const auto held = lock(options.home, std::string(source->name()));
  const auto with = options_of(config, options);
  return Engine(*source, policy, config, with, catalog, store, clock, on_failure).run(hashtags);
}

namespace {

Requirement tiktok_python(const CollectConfig& config, const fs::path& home) {
  const auto& given = config.tiktok.python;
  Requirement python{.what = "Python for collect --source tiktok",
                     .met = given.empty() ? !find_program({"python3"}).empty() : fs::exists(given)};
  if (!python.met) {
    python.detail = given.empty() ? "needs Python 3.11 or newer with venv. On Debian: apt-get install python3-venv"
                                  : "collect.tiktok.python: there is no " + given;
  } else if (!given.empty()) {
    python.detail = given;
  } else {
    python.detail = has_environment("tiktok", home)
                        ? "TikTokApi is in " + (environments_folder(home) / "tiktok").string()
                        : find_program({"python3"}).string() + "; TikTokApi will be installed at first use";
  }
  return python;
}

Requirement tiktok_browser(const CollectConfig& config) {
  const auto chromium = find_chromium(config.tiktok);
  return {.what = "Chromium for collect --source tiktok",
          .met = !chromium.empty(),
          .detail = chromium.empty() ? "not found. On Debian: apt-get install chromium" : chromium.string()};
}

Requirement ytdlp_python(const CollectConfig& config, const fs::path& home) {
  Requirement ytdlp{.what = "yt-dlp for collect --source ytdlp"};
  const auto& given = config.ytdlp.python;
  const auto python = given.empty() ? std::string("python3") : given;
  const auto library = given.empty() ? "venv" : "yt_dlp";
  const auto found = run({python, "-I", "-c",
                          std::string("import sys, ") + library +
                              "; print('Python', sys.version.split()[0]); sys.exit(sys.version_info < (3, 11))"});
  ytdlp.met = found && found->status == 0;
  if (!ytdlp.met) {
    ytdlp.detail = given.empty() ? "needs Python 3.11 or newer with venv. On Debian: apt-get install python3-venv"
                                 : "collect.ytdlp.python: " + given + " has no yt-dlp, or is older than Python 3.11";
  } else if (!given.empty()) {
    ytdlp.detail = "in " + given;
  } else if (has_environment("ytdlp", home)) {
    ytdlp.detail = "in " + (environments_folder(home) / "ytdlp").string();
  } else {
    ytdlp.detail = found->out.substr(0, found->out.find('\n')) + "; yt-dlp will be installed at first use";
  }
  return ytdlp;
}

}  // namespace

std::vector<Requirement> needs(const CollectConfig& config, const fs::path& home) {
  return {tiktok_python(config, home), tiktok_browser(config), ytdlp_python(config, home)};
}

std::string dry_run(const CollectConfig& config, const CollectOptions& options, catalog::Catalog& catalog) {
  SystemClock clock;
  const auto hashtags = configured_hashtags(config);
  const auto source = source_of(config, options, clock, 0.0);
  json out{
      {"source", source->name()}, {"dry_run", true}, {"limit", config.limit}, {"allowed", true}, {"policy", nullptr}};
  try {
    out["policy"] = policy_json(read_policy(policy_file(options.home, source->name())));
  } catch (const Exception& e) {
    out["allowed"] = false;
    out["why"] = e.what();
  }
  Journal journal(catalog.notes, std::string(source->name()), source->scope());
  if (source->daily_requests() > 0) {
    const auto day = day_of(clock.unix_seconds());
    out["requests_left_today"] = source->daily_requests() - journal.requests(day);
  }
  if (const auto until = journal.cooling_until(); until > clock.unix_seconds()) {
    out["allowed"] = false;
    out["why"] = "cooling down after a challenge page";
    out["cooling_seconds"] = until - clock.unix_seconds();
  }
  out["requests"] = json::array();
  for (const auto& hashtag : hashtags) {
    const auto cursor = journal.cursor_of(hashtag).cursor;
    for (const auto& request :
         source->preview({.hashtag = hashtag,
                          .cursor = cursor,
                          .want = static_cast<int>(std::min<std::int64_t>(config.limit, 1'000'000))})) {
      auto one = value_or_throw(parse_json(request, "preview"));
      one["hashtag"] = hashtag;
      out["requests"].push_back(std::move(one));
    }
  }
  return dump_json(out);
}

std::vector<CollectedHashtag> collected_hashtags(catalog::Catalog& catalog) {
  std::vector<CollectedHashtag> collected;
  for (auto& note : collected_notes(catalog.notes)) {
    const auto videos = catalog.videos.count({.source = note.source, .hashtag = note.hashtag});
    collected.push_back({std::move(note.source), std::move(note.hashtag), std::move(note.ended), videos});
  }
  return collected;
}

}  // namespace reeltag::collect
