// Finds the videos that a split must not separate: those of one group, of one author, and copies of each other. The
// relation is transitive; a set of related videos is one connected component. Plain values, any thread. Throws as the
// catalog does.
//
//   const RelatedSets related = related_sets_of(read_groupings(*catalog));
//   const std::string& decides = related.groups.at(related.of.at(video)).front();
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reeltag/catalog.hpp"

namespace reeltag::dataset {

// The groupings in the order in which the videos were added, with clusters recomputed from the fingerprints; updates
// the clusters in the catalog.
std::vector<catalog::SplitGrouping> read_groupings(catalog::Catalog& catalog);

struct RelatedSets {
  std::unordered_map<std::string, std::size_t> of;  // by video
  // The groups of each related set, that of its oldest video first. The first decides for the whole set, so that adding
  // a video moves nothing, unless it joins two sets: then the younger one may move.
  std::vector<std::vector<std::string>> groups;
};
RelatedSets related_sets_of(const std::vector<catalog::SplitGrouping>& groupings);

}  // namespace reeltag::dataset
