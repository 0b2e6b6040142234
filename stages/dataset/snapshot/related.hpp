// Which videos must not be parted by a split: those of one group, of one author, and copies of each other. Two that
// have any of it in common are related, and so are what is related to those; a set of related videos is all of them.
// Plain values, any thread.
//
//   const RelatedSets related sets = related_sets_of(read_groupings(*catalog));
//   const std::string& decides = related sets.groups.at(related sets.of.at(video)).front();
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reeltag/catalog.hpp"

namespace reeltag::dataset {

// In the order in which the videos came, with clusters found anew from their fingerprints; the catalog's are brought up
// to date.
std::vector<catalog::SplitGrouping> read_groupings(catalog::Catalog& catalog);

struct RelatedSets {
  std::unordered_map<std::string, std::size_t> of;  // by video
  // The groups of each related set, that of its oldest video first. This one decides for the whole related set, so that
  // a video that is added moves nothing, unless it makes two related sets one: then the younger one may move.
  std::vector<std::vector<std::string>> groups;
};
RelatedSets related_sets_of(const std::vector<catalog::SplitGrouping>& groupings);

}  // namespace reeltag::dataset
