#include "reeltag/dataset/stats.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "reeltag/base/json.hpp"

namespace reeltag::dataset {
namespace {

constexpr std::size_t kMaxPairs = 200;
constexpr std::int64_t kMinPairVideos = 3;  // videos
constexpr std::size_t kBins = 20;

void count(std::vector<std::int64_t>& histogram, std::size_t n) {
  if (histogram.size() <= n) histogram.resize(n + 1);
  ++histogram[n];
}

std::vector<CoOccurrence> pairs_of(const Dataset& set) {
  std::map<std::pair<int, int>, std::int64_t> pairs;
  std::vector<double> support(set.vocabulary.size());
  for (const auto& item : set.items) {
    for (std::size_t i = 0; i < item.labels.size(); ++i) {
      support[static_cast<std::size_t>(item.labels[i])] += 1.0;
      for (std::size_t k = i + 1; k < item.labels.size(); ++k) ++pairs[{item.labels[i], item.labels[k]}];
    }
  }
  std::vector<CoOccurrence> result;
  for (const auto& [pair, n] : pairs) {
    if (n < kMinPairVideos) continue;
    const double chance = support[static_cast<std::size_t>(pair.first)] *
                          support[static_cast<std::size_t>(pair.second)] / static_cast<double>(set.items.size());
    result.push_back({.a = pair.first, .b = pair.second, .videos = n, .lift = static_cast<double>(n) / chance});
  }
  // Excess over chance in standard deviations, so that rare pairs do not fill the list.
  const auto surprise = [](const CoOccurrence& t) {
    const double expected = static_cast<double>(t.videos) / t.lift;
    return (static_cast<double>(t.videos) - expected) / std::sqrt(expected);
  };
  std::stable_sort(result.begin(), result.end(),
                   [&](const CoOccurrence& x, const CoOccurrence& y) { return surprise(x) > surprise(y); });
  if (result.size() > kMaxPairs) result.resize(kMaxPairs);
  return result;
}

// The axis ends at the 99th percentile, so that one long video does not flatten the rest.
Durations durations_of(std::vector<double> seconds) {
  Durations d;
  d.videos = static_cast<std::int64_t>(seconds.size());
  if (seconds.empty()) return d;
  std::sort(seconds.begin(), seconds.end());
  for (const double s : seconds) d.total += s;
  d.shortest = seconds.front();
  d.median = seconds[seconds.size() / 2];
  d.mean = d.total / static_cast<double>(seconds.size());
  d.longest = seconds.back();
  d.end = std::max(1.0, std::ceil(seconds[(seconds.size() - 1) * 99 / 100] + 1e-9));
  d.bins.assign(kBins, 0);
  for (const double s : seconds)
    ++d.bins[std::min(kBins - 1, static_cast<std::size_t>(std::max(0.0, s) / d.end * static_cast<double>(kBins)))];
  return d;
}

void ask_catalog(const Dataset& set, catalog::Catalog& catalog, Stats& stats) {
  std::unordered_map<std::string_view, bool> wanted;
  for (const auto& item : set.items) wanted.emplace(item.video, false);
  std::vector<double> seconds;
  std::map<std::string, std::int64_t> sources;
  catalog.videos.each({}, [&](const catalog::Video& video) {
    const auto found = wanted.find(video.id);
    if (found == wanted.end()) return;
    found->second = true;
    seconds.push_back(video.duration);
    ++sources[video.source];
  });
  for (const auto& one : wanted) stats.unknown += one.second ? 0 : 1;
  stats.durations = durations_of(std::move(seconds));
  stats.sources.assign(sources.begin(), sources.end());
  std::stable_sort(stats.sources.begin(), stats.sources.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
}

nlohmann::json json_of(const Dataset& set, const Stats& s) {
  auto together = nlohmann::json::array();
  for (const auto& one : s.together) {
    together.push_back(
        {{"hashtags",
          {set.vocabulary[static_cast<std::size_t>(one.a)], set.vocabulary[static_cast<std::size_t>(one.b)]}},
         {"videos", one.videos},
         {"lift", std::round(one.lift * 100.0) / 100.0}});
  }
  auto sources = nlohmann::json::object();
  for (const auto& [source, n] : s.sources) sources[source] = n;
  const auto& d = s.durations;
  return {{"groups", s.groups},
          {"largest_group", s.largest_group},
          {"hashtags_per_video", s.per_video},
          {"typed_per_video", s.typed},
          {"together", std::move(together)},
          {"durations",
           {{"videos", d.videos},
            {"shortest", d.shortest},
            {"median", d.median},
            {"mean", d.mean},
            {"longest", d.longest},
            {"total", d.total}}},
          {"sources", std::move(sources)},
          {"unknown", s.unknown}};
}

}  // namespace

Stats stats_of(const Dataset& set, catalog::Catalog& catalog) {
  Stats stats;
  std::unordered_map<std::string_view, std::int64_t> groups;
  for (const auto& item : set.items) {
    stats.largest_group = std::max(stats.largest_group, ++groups[item.group]);
    count(stats.per_video, item.labels.size());
    count(stats.typed, item.hashtags.size());
  }
  stats.groups = static_cast<std::int64_t>(groups.size());
  stats.together = pairs_of(set);
  ask_catalog(set, catalog, stats);
  return stats;
}

std::string to_json(const Dataset& set, const Stats& stats, const std::filesystem::path& report) {
  auto json = nlohmann::json::parse(to_json(set));
  json["stats"] = json_of(set, stats);
  json["report"] = report.string();
  return dump_json(json);
}

}  // namespace reeltag::dataset
