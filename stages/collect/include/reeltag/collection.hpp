// Collects videos live: requests the videos of hashtags from a source page by page, within its rate limit, and stores
// them.
// One thread; one collection per source and home at a time (a lock keeps others out). Sends no request without a policy
// file that says who allowed it: HOME/policies/SOURCE.yaml (docs/collect.md).
// An item that fails is an outcome, counted and reported, and the run continues; an error of a hashtag or the source
// ends the hashtag or the run early, with the reason in the report. Exception: invalid_config (no policy, no
// credentials), permission_denied (the source refuses them), unavailable (cooling down after a challenge page, another
// collection running, a lost store), interrupted. A run killed at any moment resumes where it was and fetches nothing
// that was stored (docs/adr/0033).
//
//   auto report = collect::collect(config, {.home = home, .http = http, .media = limits}, *catalog, *store,
//   on_failure);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/catalog.hpp"
#include "reeltag/http.hpp"
#include "reeltag/media.hpp"
#include "reeltag/store.hpp"

namespace reeltag::collect {

// TikTok's Research API. The client key and secret come from the environment only: REELTAG_RESEARCH_CLIENT_KEY and
// REELTAG_RESEARCH_CLIENT_SECRET.
struct ResearchConfig {
  std::string api = "https://open.tiktokapis.com";
  std::string media = {};  // URL template of the bytes, "https://archive.example.org/{id}.mp4"; empty: metadata only
  std::string since, until = {};  // YYYY-MM-DD, UTC; empty: `days` before today, today
  int days = 30;
  std::vector<std::string> regions = {};
  int page_size = 100;
  std::int64_t daily_requests = 1000;
};
template <class V>
void visit(V& v, ResearchConfig& c) {
  v("api", c.api, "Where the Research API is");
  v("media", c.media, "Where the bytes of a video are, with {id} for its id; empty: only metadata is collected");
  v("since", c.since, "First day, YYYY-MM-DD; empty: as many days back as `days` says");
  v("until", c.until, "Last day, YYYY-MM-DD; empty: today");
  v("days", c.days, "How far a first collection looks back", config::Range{1, 3650});
  v("regions", c.regions, "Only videos registered in these regions, e.g. [US, VN]; empty: all");
  v("page_size", c.page_size, "Videos asked for at once", config::Range{1, 100});
  v("daily_requests", c.daily_requests, "Requests that the API grants in a day (UTC)", config::Range{1, 1e9});
}

// The site www.tiktok.com in a browser. REELTAG_TIKTOK_MS_TOKEN in the environment may give an msToken.
struct TikTokConfig {
  std::string python = {};
  std::string chromium = {};
  std::string proxy = {};
  std::string ca_file = {};
  int page_size = 30;
  double deadline = 60.0;
  std::int64_t memory = 2LL << 30;
  int restarts = 5;
};
template <class V>
void visit(V& v, TikTokConfig& c) {
  v("python", c.python, "A Python that has TikTokApi; empty: an environment of its own, made at first use");
  v("chromium", c.chromium, "The browser; empty: the first of chromium, google-chrome in PATH");
  v("proxy", c.proxy, "Proxy for the site and its videos, http://HOST:PORT; empty: none");
  v("ca_file", c.ca_file, "Certificates (PEM) that the browser trusts too, and for videos in place of http.ca_file");
  v("page_size", c.page_size, "Videos asked for at once", config::Range{1, 35});
  v("deadline", c.deadline, "Longest time in seconds for one request, the browser's start included",
    config::Range{1, 3600});
  v("memory", c.memory, "Most memory in bytes for the browser and what drives it", config::Range{256LL << 20, 1e12});
  v("restarts", c.restarts, "How often the browser is started again in one run", config::Range{0, 1000});
}

// yt-dlp, which lists videos and finds their addresses; reeltag fetches the files itself.
struct YtdlpConfig {
  std::string address = "https://www.tiktok.com/tag/{hashtag}";
  std::vector<std::string> urls = {};
  std::string urls_file = {};
  std::string python = {};  // empty: a virtual environment in the home, created on first use
  std::string proxy = {};
  int list = 100, batch = 10;
  double deadline = 60.0;
  int memory = 1024;
  int height = 1080;
};
template <class V>
void visit(V& v, YtdlpConfig& c) {
  v("address", c.address, "Where the videos of a hashtag are listed, with {hashtag} in it; see docs/collect.md first");
  v("urls", c.urls, "Profiles, playlists and videos to collect besides, of any site that yt-dlp knows");
  v("urls_file", c.urls_file, "A file with such addresses, one a line; # begins a comment");
  v("python", c.python, "A Python that has yt-dlp; empty: made in the home on first use");
  v("proxy", c.proxy, "http://HOST:PORT that all requests go through; empty: none");
  v("list", c.list, "Entries of a list asked for at once", config::Range{1, 10'000});
  v("batch", c.batch, "Videos asked for by one process", config::Range{1, 1000});
  v("deadline", c.deadline, "Longest time in seconds for one video or list, without waiting for its turn",
    config::Range{0.1, 86400});
  v("memory", c.memory, "Most memory of yt-dlp in MB", config::Range{64, 1e6});
  v("height", c.height, "Of the forms of a video the best one of at most so many rows of pixels",
    config::Range{1, 1e5});
}

struct CollectConfig {
  std::string source = "research";
  std::vector<std::string> hashtags = {};
  std::int64_t limit = 100;
  std::int64_t max_bytes = 256LL << 20;
  double timeout = 300.0;
  double deadline = 6 * 3600.0;
  int max_pages = 1000;
  int retries = 4;
  double backoff = 1.0;
  double cool_down = 3600.0;
  ResearchConfig research = {};
  TikTokConfig tiktok = {};
  YtdlpConfig ytdlp = {};
};
template <class V>
void visit(V& v, CollectConfig& c) {
  v("source", c.source, "Where videos come from", config::OneOf{{"research", "tiktok", "ytdlp"}});
  v("hashtags", c.hashtags, "What is collected when the command names none");
  v("limit", c.limit, "Most new videos for each hashtag in one collection", config::Range{1, 1e9});
  v("max_bytes", c.max_bytes, "Largest video that is fetched", config::Range{1, 1e15});
  v("timeout", c.timeout, "Longest time in seconds to fetch one video", config::Range{0.1, 86400});
  v("deadline", c.deadline, "Longest time in seconds for one run; the next one goes on", config::Range{0.1, 1e7});
  v("max_pages", c.max_pages, "Most pages asked for each hashtag in one run", config::Range{1, 1e6});
  v("retries", c.retries, "How often a request is repeated when the source does not answer", config::Range{0, 20});
  v("backoff", c.backoff, "Seconds before the first repetition; doubled each time", config::Range{0.001, 600});
  v("cool_down", c.cool_down, "Seconds without any request after a challenge page; doubled while they go on",
    config::Range{0, 1e7});
  v.section("research", c.research);
  v.section("tiktok", c.tiktok);
  v.section("ytdlp", c.ytdlp);
}

struct CollectOptions {
  std::filesystem::path home;
  http::ClientOptions http;
  media::Limits media;
  std::stop_token stop = {};
};

// seen = added + duplicate + failed; forgotten items count as duplicate, with an outcome of their own. A page that is a
// challenge, or cannot be read, counts as one failed item.
struct HashtagReport {
  std::int64_t seen = 0, added = 0, duplicate = 0, failed = 0;
  std::map<std::string, std::int64_t> outcomes = {};  // "added", "metadata_only", "deleted", ...
  std::string ended = {};    // "exhausted", "limit"; or early: "repeats", "pages", "deadline", "quota", "blocked", ...
  std::string message = {};  // why it ended early

  [[nodiscard]] bool early() const { return !message.empty(); }
};

struct CollectReport {
  std::string source;
  std::vector<std::pair<std::string, HashtagReport>> hashtags = {};
};

// Called for each failed item: its id (or the hashtag if it has none), and why.
using OnFailure = std::function<void(const std::string& item, const Error& error)>;

CollectReport collect(const CollectConfig& config, const CollectOptions& options, catalog::Catalog& catalog,
                      store::Store& store, const OnFailure& on_failure);

// A hashtag that was collected, with its videos in the catalog.
struct CollectedHashtag {
  std::string source, hashtag;
  std::string ended = {};  // as HashtagReport::ended, of the newest round; empty while it runs
  std::int64_t videos = 0;

  bool operator==(const CollectedHashtag&) const = default;
};
// Ordered by source and hashtag.
std::vector<CollectedHashtag> collected_hashtags(catalog::Catalog& catalog);

// File name of a post's download in the home; tombstones identify the download by it.
std::string download_name(const std::string& post_id);
// Removes complete and partial downloads that have a tombstone. Returns how many.
std::int64_t remove_downloads(const std::filesystem::path& home, const catalog::TombstoneSet& tombstones);

// Describes the first requests of collect() and whether they are allowed; sends nothing. Works without policy and
// credentials. A JSON object:
// {"source","dry_run":true,"policy":{...}|null,"allowed":bool,"requests":[{"method","url","body"?}],...}
std::string dry_run(const CollectConfig& config, const CollectOptions& options, catalog::Catalog& catalog);

// What a source needs on this machine beyond the program itself.
struct Requirement {
  std::string what;
  bool met = false;
  std::string detail = {};  // what was found, or how to get it
};
std::vector<Requirement> needs(const CollectConfig& config, const std::filesystem::path& home);

// Addresses are in "addresses", apart from hashtags.
// {"source":"research","hashtags":{"cats":{"seen":9,"added":7,"duplicate":1,"failed":1,"outcomes":{...},
//  "ended":"limit"}}}
std::string to_json(const CollectReport& report);

}  // namespace reeltag::collect
