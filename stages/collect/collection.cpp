#include "reeltag/collection.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "bridge_python.hpp"
#include "engine.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/collect.hpp"
#include "research.hpp"
#include "tiktok.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::unique_ptr<Source> source_of(const CollectConfig& config, const CollectOptions& options, Clock& clock) {
  if (config.source == "research") {
    return std::make_unique<ResearchSource>(config.research, research_credentials(), options.http, clock);
  }
  if (config.source == "tiktok") {
    return std::make_unique<TikTokSource>(
        config.tiktok, [=] { return tiktok_command(config.tiktok, options.home, options.stop); }, options.stop);
  }
  throw Exception(Code::invalid_argument, "no source '" + config.source + "'; there are: research, tiktok");
}

// The videos of a source come the way that its pages come.
CollectOptions options_of(const CollectConfig& config, CollectOptions options) {
  if (config.source != "tiktok") return options;
  options.http.proxy = config.tiktok.proxy;
  if (!config.tiktok.ca_file.empty()) options.http.ca_file = config.tiktok.ca_file;
  return options;
}

std::vector<std::string> hashtags_of(const CollectConfig& config) {
  auto hashtags = normalize_hashtags(config.hashtags);
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

json json_of(const Policy& policy) {
  return {{"terms", policy.terms},
          {"allowed_by", policy.allowed_by},
          {"requests_per_minute", policy.requests_per_minute},
          {"retention_days", policy.retention_days}};
}

}  // namespace

CollectReport collect(const CollectConfig& config, const CollectOptions& options, catalog::Catalog& catalog,
                      store::Store& store, const OnFailure& on_failure) {
  SystemClock clock;
  const auto hashtags = hashtags_of(config);
  const auto source = source_of(config, options, clock);
  const auto policy = read_policy(policy_file(options.home, source->name()));
  const auto held = lock(options.home, std::string(source->name()));
  const auto with = options_of(config, options);
  return Engine(*source, policy, config, with, catalog, store, clock, on_failure).run(hashtags);
}

std::vector<Need> needs(const CollectConfig& config, const fs::path& home) {
  const auto& given = config.tiktok.python;
  Need python{.what = "Python for collect --source tiktok",
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
  const auto chromium = find_chromium(config.tiktok);
  return {std::move(python),
          {.what = "Chromium for collect --source tiktok",
           .met = !chromium.empty(),
           .detail = chromium.empty() ? "not found. On Debian: apt-get install chromium" : chromium.string()}};
}

std::string dry_run(const CollectConfig& config, const CollectOptions& options, catalog::Catalog& catalog) {
  SystemClock clock;
  const auto hashtags = hashtags_of(config);
  const auto source = source_of(config, options, clock);
  json out{
      {"source", source->name()}, {"dry_run", true}, {"limit", config.limit}, {"allowed", true}, {"policy", nullptr}};
  try {
    out["policy"] = json_of(read_policy(policy_file(options.home, source->name())));
  } catch (const Exception& e) {
    out["allowed"] = false;
    out["why"] = e.what();
  }
  Journal journal(catalog, std::string(source->name()), source->scope());
  if (source->daily_requests() > 0) {
    const auto day = day_of(clock.since_1970());
    out["requests_left_today"] = source->daily_requests() - journal.requests(day);
  }
  if (const auto until = journal.cooling_until(); until > clock.since_1970()) {
    out["allowed"] = false;
    out["why"] = "cooling down after a challenge page";
    out["cooling_seconds"] = until - clock.since_1970();
  }
  out["requests"] = json::array();
  for (const auto& hashtag : hashtags) {
    const auto cursor = journal.standing(hashtag).cursor;
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

}  // namespace reeltag::collect
