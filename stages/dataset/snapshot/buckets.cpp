#include "snapshot/buckets.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "reeltag/base/hash.hpp"
#include "reeltag/base/json.hpp"

namespace reeltag::dataset {
namespace {

constexpr int kBuckets = 100;
constexpr std::size_t kKeyDigits = 16;
constexpr std::string_view kNotePrefix = "dataset/placed/";

constexpr auto kTrain = static_cast<std::size_t>(Split::train);
constexpr auto kVal = static_cast<std::size_t>(Split::val);
constexpr auto kTest = static_cast<std::size_t>(Split::test);

// The buckets [first, end) of a side, after turning.
std::pair<int, int> window(const SplitRule& rule, std::size_t side) {
  if (side == kVal) return {0, rule.val};
  return side == kTest ? std::pair{kBuckets - rule.test, kBuckets} : std::pair{rule.val, kBuckets - rule.test};
}

int turned(const SplitRule& rule, int bucket) { return (bucket + rule.turn) % kBuckets; }

struct RelatedSet {
  std::size_t number = 0;
  Sha1Digest order = {};
  double videos = 0;
  std::map<int, double> labels = {};  // videos of each
};

class Placement {
 public:
  Placement(const RelatedSets& related, const SplitRule& rule, const Dataset& set)
      : rule_(rule), bucket_(related.groups.size(), -1), label_videos_(set.vocabulary.size()) {
    std::map<std::size_t, RelatedSet> by_number;
    for (const auto& item : set.items) {
      auto& related_set = by_number[related.of.at(item.video)];
      related_set.videos += 1;
      for (const int label : item.labels) related_set.labels[label] += 1;
    }
    for (auto& [number, related_set] : by_number) {
      related_set.number = number;
      related_set.order = sha1(rule.salt + related.groups[number].front());
      all_videos_ += related_set.videos;
      for (const auto& [label, videos] : related_set.labels) label_videos_[static_cast<std::size_t>(label)] += videos;
      sets_.push_back(std::move(related_set));
    }
    std::stable_sort(sets_.begin(), sets_.end(),
                     [](const RelatedSet& a, const RelatedSet& b) { return a.order < b.order; });
    set_quotas();
  }

  [[nodiscard]] const std::vector<RelatedSet>& related() const { return sets_; }

  void put(const RelatedSet& related_set, int bucket) {
    bucket_[related_set.number] = bucket;
    const auto side = static_cast<std::size_t>(split_of(rule_, bucket));
    ++count_.at(side);
    for (const auto& [label, videos] : related_set.labels) on_side_[side][label] += videos;
  }
  void take_back(const RelatedSet& related_set) {
    const auto side = static_cast<std::size_t>(split_of(rule_, bucket_[related_set.number]));
    --count_.at(side);
    for (const auto& [label, videos] : related_set.labels) on_side_[side][label] -= videos;
    bucket_[related_set.number] = -1;
  }

  // Assigns a bucket to each according to the quotas. free: ordered by hash.
  void fill_quotas(std::vector<const RelatedSet*> free) {
    while (!free.empty()) {
      const auto side = next_side();
      const auto chosen = side == kTrain ? free.begin() : choose(side, free);
      put(**chosen, widest_gap(side));
      free.erase(chosen);
    }
  }

  // Moves movable related sets to wanted sides that have none; returns those moved.
  std::vector<const RelatedSet*> fill_empty_sides(const std::vector<const RelatedSet*>& movable) {
    std::vector<const RelatedSet*> moved;
    for (const auto side : {kTest, kVal, kTrain}) {
      if (quota_.at(side) == 0 || count_.at(side) > 0) continue;
      auto candidates = movable;
      std::erase_if(candidates, [&](const RelatedSet* f) { return count_.at(side_of(*f)) < 2; });
      if (candidates.empty()) continue;
      const auto* related_set = *(side == kTrain ? candidates.begin() : choose(side, candidates));
      take_back(*related_set);
      put(*related_set, widest_gap(side));
      moved.push_back(related_set);
    }
    return moved;
  }

  std::vector<int> buckets() && { return std::move(bucket_); }

 private:
  [[nodiscard]] std::size_t side_of(const RelatedSet& f) const {
    return static_cast<std::size_t>(split_of(rule_, bucket_[f.number]));
  }

  void set_quotas() {
    const auto n = static_cast<int>(sets_.size());
    const auto share = [&](int percent) {
      return percent == 0 ? 0 : std::max(1, static_cast<int>(std::lround(n * percent / 100.0)));
    };
    quota_[kVal] = share(rule_.val);
    quota_[kTest] = share(rule_.test);
    for (quota_[kTrain] = n - quota_[kVal] - quota_[kTest]; quota_[kTrain] < 1; ++quota_[kTrain]) {
      --(quota_[kVal] > quota_[kTest] ? quota_[kVal] : quota_[kTest]);
    }
  }

  // Sides without any related set come first, then val and test.
  [[nodiscard]] std::size_t next_side() const {
    for (const auto side : {kTest, kVal, kTrain}) {
      if (quota_.at(side) > 0 && count_.at(side) == 0) return side;
    }
    for (const auto side : {kTest, kVal}) {
      if (count_.at(side) < quota_.at(side)) return side;
    }
    return kTrain;
  }

  using Candidates = std::vector<const RelatedSet*>;

  // The related set of `free` to place in val or test.
  [[nodiscard]] Candidates::const_iterator choose(std::size_t side, const Candidates& free) const {
    std::vector<Candidates::const_iterator> good;
    for (auto it = free.begin(); it != free.end(); ++it) {
      if (leaves_train_what_it_needs(**it)) good.push_back(it);
    }
    if (good.empty()) {
      return std::min_element(free.begin(), free.end(),
                              [](const RelatedSet* a, const RelatedSet* b) { return a->videos < b->videos; });
    }
    // Only the first third in hash order: another salt must give another split.
    good.resize((good.size() + 2) / 3);
    return *std::min_element(good.begin(), good.end(),
                             [&](auto a, auto b) { return distance(side, **a) < distance(side, **b); });
  }

  [[nodiscard]] bool leaves_train_what_it_needs(const RelatedSet& related_set) const {
    if (related_set.videos * 2 > all_videos_) return false;
    return std::all_of(related_set.labels.begin(), related_set.labels.end(), [&](const auto& one) {
      const auto held_out = videos_on(kVal, one.first) + videos_on(kTest, one.first);
      return held_out + one.second < label_videos_[static_cast<std::size_t>(one.first)];
    });
  }

  // Distance of a side's hashtag counts from the wanted ones after adding the related set: the sum of chi-squares.
  [[nodiscard]] double distance(std::size_t side, const RelatedSet& related_set) const {
    const double share = (side == kVal ? rule_.val : rule_.test) / 100.0;
    double sum = 0.0;
    for (std::size_t label = 0; label < label_videos_.size(); ++label) {
      const double wanted = label_videos_[label] * share;
      if (wanted == 0) continue;
      const auto own = related_set.labels.find(static_cast<int>(label));
      const double count =
          videos_on(side, static_cast<int>(label)) + (own == related_set.labels.end() ? 0.0 : own->second);
      sum += (count - wanted) * (count - wanted) / wanted;
    }
    return sum;
  }

  [[nodiscard]] double videos_on(std::size_t side, int label) const {
    const auto at = on_side_.at(side).find(label);
    return at == on_side_.at(side).end() ? 0.0 : at->second;
  }

  // The first bucket of val and test, the middle of train, then the middles of the widest gaps: evenly spaced buckets
  // are also divided evenly when the rule is turned.
  [[nodiscard]] int widest_gap(std::size_t side) const {
    const auto [first, end] = window(rule_, side);
    std::vector<int> used;
    for (const auto bucket : bucket_) {
      const int at = bucket < 0 ? -1 : turned(rule_, bucket);
      if (at >= first && at < end) used.push_back(at);
    }
    int best = side == kTrain ? (first + end) / 2 : first;
    if (!used.empty()) {
      std::sort(used.begin(), used.end());
      used.push_back(end);
      int widest = used.front() - first;
      best = first + widest / 2;
      for (std::size_t i = 0; i + 1 < used.size(); ++i) {
        if (used[i + 1] - used[i] <= widest) continue;
        widest = used[i + 1] - used[i];
        best = used[i] + widest / 2;
      }
    }
    return (best - rule_.turn % kBuckets + kBuckets) % kBuckets;
  }

  SplitRule rule_;
  std::vector<int> bucket_;           // by number of the related set
  std::vector<RelatedSet> sets_;      // ordered by hash
  std::vector<double> label_videos_;  // of each label
  double all_videos_ = 0;
  std::array<int, 3> quota_{}, count_{};  // related sets by side
  std::array<std::map<int, double>, 3> on_side_;
};

std::string note_name(const SplitRule& rule) {
  return std::string(kNotePrefix) + rule.by + "/" + std::to_string(rule.val) + "/" + std::to_string(rule.test) + "/" +
         rule.salt;
}

std::string to_text(const PlacedGroups& placed) {
  return dump_json({{"by_hash", placed.by_hash}, {"groups", placed.buckets}});
}

PlacedGroups from_text(const std::string& text) {
  const std::string origin = "the catalog's note of placed groups";
  const auto json = value_or_throw(parse_json(text, origin));
  try {
    return {.by_hash = json.at("by_hash").get<bool>(), .buckets = json.at("groups").get<std::map<std::string, int>>()};
  } catch (const nlohmann::json::exception& e) {
    throw Exception(Code::corrupt, origin + ": " + e.what());
  }
}

}  // namespace

std::string group_key(const std::string& group) { return hex(sha1(group)).substr(0, kKeyDigits); }

PlacedGroups load_placed(catalog::Notes& notes, const SplitRule& rule, const RelatedSets& related) {
  const auto text = notes.get(note_name(rule));
  if (!text) return {};
  auto placed = from_text(*text);
  std::unordered_set<std::string> known;
  for (const auto& groups : related.groups) {
    for (const auto& group : groups) known.insert(group_key(group));
  }
  std::erase_if(placed.buckets, [&](const auto& one) { return !known.contains(one.first); });
  return placed;
}

void store_placed(catalog::Notes& notes, const SplitRule& rule, const PlacedGroups& placed) {
  notes.put({.name = note_name(rule), .body = to_text(placed)});
}

std::size_t sets_needed(const SplitRule& rule) {
  return (rule.val + rule.test < 100 ? 1U : 0U) + (rule.val > 0 ? 1U : 0U) + (rule.test > 0 ? 1U : 0U);
}

std::vector<int> buckets_of(const RelatedSets& related, const SplitRule& rule, const Dataset& set,
                            PlacedGroups& placed) {
  Placement placement(related, rule, set);
  std::vector<const RelatedSet*> free;
  for (const auto& related_set : placement.related()) {
    const auto& groups = related.groups[related_set.number];
    const auto known = std::find_if(groups.begin(), groups.end(),
                                    [&](const auto& group) { return placed.buckets.contains(group_key(group)); });
    if (known == groups.end()) {
      free.push_back(&related_set);
    } else {
      placement.put(related_set, placed.buckets.at(group_key(*known)));
    }
  }
  placed.by_hash = placed.by_hash || related.groups.size() >= kFewSets;
  std::vector<const RelatedSet*> to_store;
  if (placed.by_hash) {
    for (const auto* related_set : free)
      placement.put(*related_set, bucket_of(rule, related.groups[related_set->number].front()));
    to_store = placement.fill_empty_sides(free);
  } else {
    placement.fill_quotas(free);
    for (const auto& related_set : placement.related()) to_store.push_back(&related_set);
  }
  auto buckets = std::move(placement).buckets();
  for (const auto* related_set : to_store) {
    for (const auto& group : related.groups[related_set->number]) {
      placed.buckets[group_key(group)] = buckets[related_set->number];
    }
  }
  return buckets;
}

}  // namespace reeltag::dataset
