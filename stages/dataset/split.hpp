// How the sides of a dataset are chosen. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "kin.hpp"
#include "reeltag/dataset.hpp"

namespace reeltag::dataset {

// Throws invalid_config, saying what would work, where there are fewer families than sides that the rule wants;
// `groups` is how many there would be by group.
void check_family_count(std::size_t families, std::size_t groups, const SplitRule& rule);
void check_family_count(const Families& families, const SplitRule& rule, const Dataset& set);

// Rule.by kin or group: each family by its bucket.
void split_by_bucket(const Families& families, const SplitRule& rule, catalog::Catalog& catalog, Dataset& set);

// Families whose newest video is older than that of others go to train, then to val, then to test; the percentages are
// of videos, and each wanted side has a family. No video of train is newer than the newest of any family of test.
void split_by_time(const Families& families, const SplitRule& rule,
                   const std::unordered_map<std::string, std::int64_t>& created, Dataset& set);

// Each video's own side is that of its source, train, val or test; others are rejected. A family is kept on the side
// nearest to the test that one of it has, the rest of it is rejected. Families of train alone are divided by their
// buckets, into the sides that no source names.
void split_by_source(const Families& families, const SplitRule& rule,
                     const std::unordered_map<std::string, std::string>& sources, catalog::Catalog& catalog,
                     Dataset& set);

// Rule.salt auto: of 64 salts the one under which the hashtags' shares of val and test are nearest to what the rule
// wants. The first freeze chooses and notes it in the catalog, later ones go on with it.
std::string find_salt(const Families& families, const SplitRule& rule, const Dataset& set, catalog::Catalog& catalog);

}  // namespace reeltag::dataset
