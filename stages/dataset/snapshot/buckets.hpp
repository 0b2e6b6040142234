// Assigns each set of related videos (related.hpp) its bucket, 0 to 99, from which split_of() derives the side of the
// split. Functions: any thread, on values of their own. Throw as the catalog does, and corrupt for a stored
// note that cannot be read.
//
// In a large catalog the bucket is a hash (bucket_of). With fewer than kFewSets related sets, a hash can leave val or
// test empty or several times too large; there the hash only orders the sets, and the rule's percentages say how many
// of them each side gets, at least one. A set placed in this way keeps its bucket: freeze() stores the buckets of
// placed groups in the catalog.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "reeltag/catalog.hpp"
#include "reeltag/dataset.hpp"
#include "snapshot/related.hpp"

namespace reeltag::dataset {

// Below this number, one percent is less than one related set.
inline constexpr std::size_t kFewSets = 100;

struct PlacedGroups {
  // The rule was once applied to many related sets: groups without a bucket here keep using their hash.
  bool by_hash = false;
  std::map<std::string, int> buckets;  // by group_key()

  bool operator==(const PlacedGroups&) const = default;
};
// The first 16 hexadecimal digits of the SHA-1 of a group's name.
std::string group_key(const std::string& group);

// Reads the buckets that earlier freezes stored under a rule with the same by, val, test and salt; leaves out groups
// that the catalog no longer has.
PlacedGroups load_placed(catalog::Notes& notes, const SplitRule& rule, const RelatedSets& related);
void store_placed(catalog::Notes& notes, const SplitRule& rule, const PlacedGroups& placed);

// The number of related sets that the rule needs: one for each side that it wants.
std::size_t sets_needed(const SplitRule& rule);

// The bucket of each related set with videos in `set`; -1 for others. Adds to `placed` what must be stored. If there
// are at least sets_needed(rule) related sets, every wanted side gets one, unless earlier freezes placed all of them
// elsewhere. A related set with more than half of the videos, or with the last training videos of a hashtag, goes to
// val or test only if no other can; among the others, the one whose hashtags the side lacks most goes first.
std::vector<int> buckets_of(const RelatedSets& related, const SplitRule& rule, const Dataset& set,
                            PlacedGroups& placed);

}  // namespace reeltag::dataset
