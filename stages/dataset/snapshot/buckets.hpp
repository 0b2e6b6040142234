// Gives each related set of videos (related.hpp) its bucket, 0 to 99, from which split_of() tells the side of the
// split.
//
// In a large catalog the bucket is a hash (bucket_of). In a catalog of fewer than kFewSets related sets a hash leaves
// val or test empty now and then, or several times too large. There the hash decides only the order of the related
// sets, and the percentages of the rule say how many of them each side gets, at least one. A set of related videos that
// was placed so keeps its bucket: freeze() stores the buckets of placed groups in the catalog. Functions: any thread,
// on values of their own.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "reeltag/catalog.hpp"
#include "reeltag/dataset.hpp"
#include "snapshot/related.hpp"

namespace reeltag::dataset {

// A percent of fewer related sets is less than one of them.
inline constexpr std::size_t kFewSets = 100;

struct PlacedGroups {
  // The rule once divided a catalog of many related sets: those that have no bucket here go on by their hash.
  bool by_hash = false;
  std::map<std::string, int> buckets;  // by group_key()

  bool operator==(const PlacedGroups&) const = default;
};
// The first 16 hexadecimal digits of the SHA-1 of a group's name.
std::string group_key(const std::string& group);

// Reads what earlier freezes stored under a rule with the same by, val, test and salt; groups that the catalog no
// longer has are left out.
PlacedGroups load_placed(catalog::Catalog& catalog, const SplitRule& rule, const RelatedSets& related);
void store_placed(catalog::Catalog& catalog, const SplitRule& rule, const PlacedGroups& placed);

// The number of related sets that the rule needs: one for each side that it wants.
std::size_t sets_needed(const SplitRule& rule);

// The bucket of each related set of which the set has videos; -1 for others. Adds to `placed` what must be stored.
// Where the set has at least sets_needed(rule) related sets, no wanted side is left without one, unless earlier freezes
// placed all of them elsewhere. A set of related videos that has more than half of the videos, or the last ones of a
// hashtag that train has, goes to val or test only where no other can; of the others that one does whose hashtags the
// side lacks most.
std::vector<int> buckets_of(const RelatedSets& related, const SplitRule& rule, const Dataset& set,
                            PlacedGroups& placed);

}  // namespace reeltag::dataset
