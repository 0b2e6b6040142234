// Assigns the videos of a dataset to train, val and test. Functions, any thread, on values of their own. Throws
// invalid_config, and as the catalog does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "reeltag/dataset.hpp"
#include "snapshot/related.hpp"

namespace reeltag::dataset {

// Throws invalid_config, saying what would work, if there are fewer related sets than sides that the rule wants;
// `groups` is the number of sets by group.
void check_set_count(std::size_t related, std::size_t groups, const SplitRule& rule);
void check_set_count(const RelatedSets& related, const SplitRule& rule, const Dataset& set);

// rule.by related or group: each related set by its bucket.
void split_by_bucket(const RelatedSets& related, const SplitRule& rule, catalog::Notes& notes, Dataset& set);

// Orders related sets by their newest video; the oldest go to train, then to val, then to test. The percentages are of
// videos, and each wanted side gets at least one set. No video of train is newer than the newest of any related set of
// test.
void split_by_time(const RelatedSets& related, const SplitRule& rule,
                   const std::unordered_map<std::string, std::int64_t>& created, Dataset& set);

// A video's side is its source, train, val or test; videos of other sources are rejected. A related set stays on the
// side nearest to test that one of its videos has; its videos of other sides are rejected. Related sets of train alone
// are divided by their buckets into the sides that no source names.
void split_by_source(const RelatedSets& related, const SplitRule& rule,
                     const std::unordered_map<std::string, std::string>& sources, catalog::Notes& notes, Dataset& set);

// rule.salt auto: of 64 salts, the one for which the hashtags' shares of val and test are nearest to the rule's. The
// first freeze stores it in the catalog, later ones reuse it.
std::string find_salt(const RelatedSets& related, const SplitRule& rule, const Dataset& set, catalog::Notes& notes);

}  // namespace reeltag::dataset
