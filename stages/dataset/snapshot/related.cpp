#include "snapshot/related.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "reeltag/base/disjoint_sets.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/media/fingerprint.hpp"

namespace reeltag::dataset {
namespace {

// Does not contain the video's id: the video may be forgotten while the cluster stays.
std::string cluster_name(const std::string& oldest) { return content_id("cluster " + oldest); }

}  // namespace

std::vector<catalog::SplitGrouping> read_groupings(catalog::Catalog& catalog) {
  std::vector<catalog::SplitGrouping> groupings;
  std::vector<media::Fingerprint> fingerprints;
  catalog.fingerprints.each([&](const catalog::SplitGrouping& one) {
    groupings.push_back(one);
    const auto fingerprint = media::fingerprint_from(one.fingerprint.value_or(""));
    fingerprints.push_back(fingerprint.value_or(media::Fingerprint{}));
  });
  const auto first = media::clusters_of(fingerprints);
  std::vector<std::int64_t> sizes(groupings.size());
  for (const auto i : first) ++sizes[i];
  std::vector<std::pair<std::string, std::string>> changed;
  for (std::size_t i = 0; i < groupings.size(); ++i) {
    auto name = sizes[first[i]] > 1 ? cluster_name(groupings[first[i]].video) : std::string();
    if (groupings[i].cluster == name) continue;
    groupings[i].cluster = std::move(name);
    changed.emplace_back(groupings[i].video, groupings[i].cluster);
  }
  if (!changed.empty()) catalog.fingerprints.put_clusters(changed);
  return groupings;
}

RelatedSets related_sets_of(const std::vector<catalog::SplitGrouping>& groupings) {
  DisjointSets related(groupings.size());
  std::unordered_map<std::string, std::size_t> first;
  const auto join = [&](std::size_t i, const std::string& by) {
    related.join(i, first.try_emplace(by, i).first->second);
  };
  for (std::size_t i = 0; i < groupings.size(); ++i) {
    join(i, "group " + groupings[i].group);
    // An author is often the group of other videos.
    if (!groupings[i].author.empty()) join(i, "group " + groupings[i].author);
    if (!groupings[i].cluster.empty()) join(i, "cluster " + groupings[i].cluster);
  }
  RelatedSets result;
  std::unordered_map<std::size_t, std::size_t> number;  // of a related set, by its oldest video
  std::unordered_set<std::string_view> seen;            // each group belongs to one related set
  for (std::size_t i = 0; i < groupings.size(); ++i) {
    const auto oldest = related.first_of(i);
    const auto [at, is_new] = number.try_emplace(oldest, result.groups.size());
    if (is_new) result.groups.emplace_back();
    if (seen.insert(groupings[i].group).second) result.groups[at->second].push_back(groupings[i].group);
    result.of.emplace(groupings[i].video, at->second);
  }
  return result;
}

}  // namespace reeltag::dataset
