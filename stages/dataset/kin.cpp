#include "kin.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "reeltag/base/disjoint_sets.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/media/fingerprint.hpp"

namespace reeltag::dataset {
namespace {

// Does not name the video: it may have to be forgotten, and the cluster stays.
std::string cluster_name(const std::string& oldest) { return content_id("cluster " + oldest); }

}  // namespace

std::vector<catalog::Kin> kin_in(catalog::Catalog& catalog) {
  std::vector<catalog::Kin> kin;
  std::vector<media::Fingerprint> fingerprints;
  catalog.each_kin([&](const catalog::Kin& one) {
    kin.push_back(one);
    const auto fingerprint = media::fingerprint_from(one.fingerprint.value_or(""));
    fingerprints.push_back(fingerprint.value_or(media::Fingerprint{}));
  });
  const auto first = media::clusters_of(fingerprints);
  std::vector<std::int64_t> sizes(kin.size());
  for (const auto i : first) ++sizes[i];
  std::vector<std::pair<std::string, std::string>> changed;
  for (std::size_t i = 0; i < kin.size(); ++i) {
    auto name = sizes[first[i]] > 1 ? cluster_name(kin[first[i]].video) : std::string();
    if (kin[i].cluster == name) continue;
    kin[i].cluster = std::move(name);
    changed.emplace_back(kin[i].video, kin[i].cluster);
  }
  if (!changed.empty()) catalog.put_clusters(changed);
  return kin;
}

Families families_of(const std::vector<catalog::Kin>& kin) {
  DisjointSets families(kin.size());
  std::unordered_map<std::string, std::size_t> first;
  const auto join = [&](std::size_t i, const std::string& by) {
    families.join(i, first.try_emplace(by, i).first->second);
  };
  for (std::size_t i = 0; i < kin.size(); ++i) {
    join(i, "group " + kin[i].group);
    // An author is often the group of other videos.
    if (!kin[i].author.empty()) join(i, "group " + kin[i].author);
    if (!kin[i].cluster.empty()) join(i, "cluster " + kin[i].cluster);
  }
  Families result;
  std::unordered_map<std::size_t, std::size_t> number;  // of a family, by its oldest
  std::unordered_set<std::string_view> seen;            // a group is of one family
  for (std::size_t i = 0; i < kin.size(); ++i) {
    const auto oldest = families.first_of(i);
    const auto [at, is_new] = number.try_emplace(oldest, result.groups.size());
    if (is_new) result.groups.emplace_back();
    if (seen.insert(kin[i].group).second) result.groups[at->second].push_back(kin[i].group);
    result.of.emplace(kin[i].video, at->second);
  }
  return result;
}

}  // namespace reeltag::dataset
