#include "vocabulary.hpp"

#include <algorithm>
#include <sstream>

#include "reeltag/base/file.hpp"
#include "reeltag/collect.hpp"

namespace reeltag::dataset {

std::vector<std::string> read_hashtags(const std::filesystem::path& file) {
  constexpr std::int64_t kLargest = 64LL << 20;
  std::istringstream lines(value_or_throw(read_file(file, kLargest)));
  std::vector<std::string> hashtags;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    if (++number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.ends_with('\r')) line.pop_back();
    for (const char* comment : {" #", "\t#"}) line.resize(std::min(line.size(), line.find(comment)));
    if (line.starts_with('#') || line.find_first_not_of(" \t") == std::string::npos) continue;
    auto hashtag = collect::normalize_hashtag(line);
    if (hashtag.empty()) {
      throw Exception(Code::invalid_config, file.string() + ":" + std::to_string(number) + " is no hashtag");
    }
    if (std::find(hashtags.begin(), hashtags.end(), hashtag) == hashtags.end()) hashtags.push_back(std::move(hashtag));
  }
  if (hashtags.empty()) {
    throw Exception(Code::invalid_config,
                    file.string() + " names no hashtag: write one on each line, without '#' (that begins a comment)");
  }
  return hashtags;
}

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

HashtagIndex index_of(const std::vector<std::string>& vocabulary) {
  HashtagIndex index;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) index.emplace(vocabulary[i], static_cast<int>(i));
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
