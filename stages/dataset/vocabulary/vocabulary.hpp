// Selects the hashtags that a model can predict, and maps typed hashtags to labels. Functions, any thread. Only
// read_hashtags() fails.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "reeltag/dataset.hpp"

namespace reeltag::dataset {

// The hashtags of a list file, normalized, in order, without repetitions. A line that begins with '#' and text after "
// #" are comments. Throws not_found, too_large, invalid_config (no hashtag, or an invalid line).
std::vector<std::string> read_hashtags(const std::filesystem::path& file);

// The most frequent hashtags that are not blocked: by descending support, then by name. In single mode only the first
// hashtag of a video that is not blocked counts, as no other can become its class.
std::vector<std::string> frequent_hashtags(const std::vector<Item>& items, LabelMode mode,
                                           const std::set<std::string>& blocked, int min_support, int max_hashtags);

using HashtagIndex = std::unordered_map<std::string, int>;
// spellings: alternative spelling -> hashtag of the vocabulary.
HashtagIndex index_of(const std::vector<std::string>& vocabulary,
                      const std::map<std::string, std::string>& spellings = {});

// The labels of typed hashtags in this mode; empty if none is in the vocabulary.
std::vector<int> labels_of(const std::vector<std::string>& hashtags, const HashtagIndex& index, LabelMode mode);

}  // namespace reeltag::dataset
