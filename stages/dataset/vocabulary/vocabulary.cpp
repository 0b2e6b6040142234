#include "vocabulary/vocabulary.hpp"

#include <algorithm>

namespace reeltag::dataset {

std::vector<std::string> frequent_hashtags(const std::vector<Item>& items, LabelMode mode,
                                           const std::set<std::string>& blocked, int min_support, int max_hashtags) {
  std::unordered_map<std::string, std::int64_t> support;
  for (const auto& item : items) {
    for (const auto& hashtag : item.hashtags) {
      if (blocked.contains(hashtag)) continue;
      ++support[hashtag];
      if (mode == LabelMode::single) break;
    }
  }
  std::vector<std::pair<std::string, std::int64_t>> ranked;
  for (auto& entry : support) {
    if (entry.second >= min_support) ranked.emplace_back(entry);
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (ranked.size() > static_cast<std::size_t>(max_hashtags)) ranked.resize(static_cast<std::size_t>(max_hashtags));
  std::vector<std::string> vocabulary;
  for (auto& entry : ranked) vocabulary.push_back(std::move(entry.first));
  return vocabulary;
}

HashtagIndex index_of(const std::vector<std::string>& vocabulary, const std::map<std::string, std::string>& spellings) {
  HashtagIndex index;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) index.emplace(vocabulary[i], static_cast<int>(i));
  for (const auto& [spelling, hashtag] : spellings) {
    if (const auto at = index.find(hashtag); at != index.end()) index.emplace(spelling, at->second);
  }
  return index;
}

std::vector<int> labels_of(const std::vector<std::string>& hashtags, const HashtagIndex& index, LabelMode mode) {
  std::vector<int> labels;
  for (const auto& hashtag : hashtags) {
    const auto at = index.find(hashtag);
    if (at == index.end()) continue;
    labels.push_back(at->second);
    if (mode == LabelMode::single) break;
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

}  // namespace reeltag::dataset
