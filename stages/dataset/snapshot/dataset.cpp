#include <nlohmann/json.hpp>
#include <unordered_map>

#include "reeltag/base/hash.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/dataset.hpp"

namespace reeltag::dataset {

int bucket_of(const SplitRule& rule, std::string_view group) {
  return static_cast<int>(sha1_mod(rule.salt + std::string(group), 100));
}

Split split_of(const SplitRule& rule, int bucket) {
  const int turned = (bucket + rule.turn) % 100;
  if (turned < rule.val) return Split::val;
  return turned >= 100 - rule.test ? Split::test : Split::train;
}

Split split_of(const SplitRule& rule, std::string_view group) { return split_of(rule, bucket_of(rule, group)); }

std::int64_t Dataset::count(Split split) const {
  std::int64_t n = 0;
  for (const auto& item : items) n += item.split == split ? 1 : 0;
  return n;
}

std::vector<std::array<std::int64_t, 3>> Dataset::support() const {
  std::vector<std::array<std::int64_t, 3>> result(vocabulary.size());
  for (const auto& item : items) {
    for (const int label : item.labels)
      ++result.at(static_cast<std::size_t>(label))[static_cast<std::size_t>(item.split)];
  }
  return result;
}

std::string parted(const Dataset& set) {
  // One video's group may be another's author.
  std::unordered_map<std::string_view, const Item*> people, clusters;
  std::string found;
  const auto check = [&](auto& seen, const char* kind, const std::string& name, const Item& item) {
    const Item& first = *seen.emplace(name, &item).first->second;
    if (first.split == item.split || !found.empty()) return;
    found = std::string(kind) + " " + name + " is in " +
            std::string(kSplitNames[static_cast<std::size_t>(first.split)]) + " (" + first.video + ") and in " +
            std::string(kSplitNames[static_cast<std::size_t>(item.split)]) + " (" + item.video + ")";
  };
  for (const auto& item : set.items) {
    check(people, "group", item.group, item);
    if (!item.author.empty()) check(people, "author", item.author, item);
    if (!item.cluster.empty()) check(clusters, "cluster of copies", item.cluster, item);
  }
  return found;
}

void check_groups(const Dataset& set) {
  if (const auto found = parted(set); !found.empty()) {
    throw Exception(Code::corrupt, "dataset " + set.id + ": " + found + "; freeze it again");
  }
}

void check_classes(const Dataset& set) {
  if (set.label_mode != LabelMode::single || set.vocabulary.size() >= 2) return;
  const auto classes = set.vocabulary.empty() ? std::string("no class") : "one class, #" + set.vocabulary.front();
  throw Exception(Code::invalid_argument, "dataset " + set.id + " has " + classes +
                                              ", and a model of single labels tells classes apart: " +
                                              "import videos of another one, and freeze again");
}

Summary summary_of(const Dataset& set) {
  return {.id = set.id,
          .created = set.created,
          .label_mode = set.label_mode,
          .videos = {set.count(Split::train), set.count(Split::val), set.count(Split::test)},
          .hashtags = static_cast<std::int64_t>(set.vocabulary.size()),
          .rejected = static_cast<std::int64_t>(set.rejected.size()),
          .forgotten = set.forgotten};
}

namespace {

nlohmann::json json_of(const Summary& s) {
  return {{"dataset", s.id},          {"videos", {{"train", s.videos[0]}, {"val", s.videos[1]}, {"test", s.videos[2]}}},
          {"hashtags", s.hashtags},   {"rejected", s.rejected},
          {"forgotten", s.forgotten}, {"labels", kLabelModeNames[static_cast<std::size_t>(s.label_mode)]},
          {"created", s.created}};
}

}  // namespace

std::string to_json(const Summary& summary) { return dump_json(json_of(summary)); }

std::string to_json(const Dataset& set) {
  auto json = json_of(summary_of(set));
  json["options"] = nlohmann::json::parse(set.options);
  const auto support = set.support();
  json["vocabulary"] = nlohmann::json::array();
  for (std::size_t i = 0; i < set.vocabulary.size(); ++i) {
    json["vocabulary"].push_back(
        {{"hashtag", set.vocabulary[i]}, {"train", support[i][0]}, {"val", support[i][1]}, {"test", support[i][2]}});
  }
  json["rejected"] = nlohmann::json::array();
  for (const auto& one : set.rejected) json["rejected"].push_back({{"video", one.video}, {"reason", one.reason}});
  if (auto found = parted(set); !found.empty()) json["parted"] = std::move(found);
  return dump_json(json);
}

}  // namespace reeltag::dataset
