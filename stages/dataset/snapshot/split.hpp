// How the sides of a dataset are chosen. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "reeltag/dataset.hpp"
#include "snapshot/related.hpp"

namespace reeltag::dataset {

// Throws invalid_config, saying what would work, where there are fewer related sets than sides that the rule wants;
// `groups` is how many there would be by group.
void check_set_count(std::size_t related, std::size_t groups, const SplitRule& rule);
void check_set_count(const RelatedSets& related, const SplitRule& rule, const Dataset& set);

// Rule.by related or group: each related set by its bucket.
void split_by_bucket(const RelatedSets& related, const SplitRule& rule, catalog::Catalog& catalog, Dataset& set);

// RelatedSets whose newest video is older than that of others go to train, then to val, then to test; the percentages
// are of videos, and each wanted side has a set of related videos. No video of train is newer than the newest of any
// related set of test.
void split_by_time(const RelatedSets& related, const SplitRule& rule,
                   const std::unordered_map<std::string, std::int64_t>& created, Dataset& set);

// Each video's own side is that of its source, train, val or test; others are rejected. A set of related videos is kept
// on the side nearest to the test that one of it has, the rest of it is rejected. RelatedSets of train alone are
// divided by their buckets, into the sides that no source names.
void split_by_source(const RelatedSets& related, const SplitRule& rule,
                     const std::unordered_map<std::string, std::string>& sources, catalog::Catalog& catalog,
                     Dataset& set);

// Rule.salt auto: of 64 salts the one under which the hashtags' shares of val and test are nearest to what the rule
// wants. The first freeze chooses and notes it in the catalog, later ones go on with it.
std::string find_salt(const RelatedSets& related, const SplitRule& rule, const Dataset& set, catalog::Catalog& catalog);

}  // namespace reeltag::dataset
