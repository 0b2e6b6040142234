// Which hashtags a model can predict. Thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "reeltag/dataset.hpp"

namespace reeltag::dataset {

// The hashtags of a list file, normalised, in order, repetitions dropped. A line that begins with '#' and what follows
// " #" in a line are comments. Throws not_found, too_large, invalid_config (no hashtag in it, or a line that is none).
std::vector<std::string> read_hashtags(const std::filesystem::path& file);

// The most frequent hashtags that are not blocked: by support, descending, then by name. In single mode only the first
// hashtag of a video that is not blocked counts, as nothing else can become its class.
std::vector<std::string> frequent_hashtags(const std::vector<Item>& items, LabelMode mode,
                                           const std::set<std::string>& blocked, int min_support, int max_hashtags);

using HashtagIndex = std::unordered_map<std::string, int>;
// spellings: what else stands for a hashtag of the vocabulary, by spelling.
HashtagIndex index_of(const std::vector<std::string>& vocabulary,
                      const std::map<std::string, std::string>& spellings = {});

// The labels of typed hashtags under the mode; empty when none is in the vocabulary.
std::vector<int> labels_of(const std::vector<std::string>& hashtags, const HashtagIndex& index, LabelMode mode);

}  // namespace reeltag::dataset
