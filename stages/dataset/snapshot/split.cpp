#include "snapshot/split.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "snapshot/buckets.hpp"

namespace reeltag::dataset {
namespace {

constexpr int kSalts = 64;
const std::string kSaltNote = "dataset/salt";

// Distance of the hashtags' videos in val and test from the wanted numbers: the sum of chi-squares, so that one video
// too many counts more for a rare hashtag than for a frequent one.
double distance(const RelatedSets& related, const SplitRule& rule, const Dataset& set) {
  std::vector<Split> side;
  side.reserve(related.groups.size());
  if (related.groups.size() < kFewSets) {
    PlacedGroups none;
    for (const int bucket : buckets_of(related, rule, set, none)) side.push_back(split_of(rule, bucket));
  } else {
    for (const auto& groups : related.groups) side.push_back(split_of(rule, groups.front()));
  }
  std::vector<std::array<double, 3>> counts(set.vocabulary.size());
  for (const auto& item : set.items) {
    const auto at = static_cast<std::size_t>(side[related.of.at(item.video)]);
    for (const int label : item.labels) counts[static_cast<std::size_t>(label)].at(at) += 1.0;
  }
  double sum = 0.0;
  for (const auto& [train, val, test] : counts) {
    const double all = train + val + test;
    for (const auto& [count, percent] : {std::pair{val, rule.val}, {test, rule.test}}) {
      const double wanted = all * percent / 100.0;
      if (wanted > 0) sum += (count - wanted) * (count - wanted) / wanted;
    }
  }
  return sum;
}

}  // namespace

void check_set_count(const RelatedSets& related, const SplitRule& rule, const Dataset& set) {
  std::unordered_set<std::size_t> present;
  std::unordered_set<std::string_view> groups;
  for (const auto& item : set.items) {
    present.insert(related.of.at(item.video));
    groups.insert(item.group);
  }
  check_set_count(present.size(), groups.size(), rule);
}

void check_set_count(std::size_t related, std::size_t groups, const SplitRule& rule) {
  const auto needed = sets_needed(rule);
  if (related >= needed) return;
  const auto count = [](std::size_t n) { return std::to_string(n) + (n == 1 ? " group" : " groups"); };
  const bool by_related = rule.by != "group";
  std::string message =
      "dataset freeze: " + count(related) + " of videos cannot fill " +
      (needed == 3    ? "train, val and test"
       : rule.val > 0 ? "train and val"
                      : "train and test") +
      ", which takes " + std::to_string(needed) +
      (by_related ? " (videos of one group, those of one author and copies count as one group)" : "") +
      ". Add videos of other groups";
  if (related == 2) message += "; or say --val 0, for train and test alone";
  if (related == 1) message += "; or say --val 0 --test 0, for train alone";
  if (by_related && groups >= needed) {
    message += "; or say --by group, which parts authors and copies: it finds " + count(groups);
  }
  throw Exception(Code::invalid_config, message);
}

void split_by_bucket(const RelatedSets& related, const SplitRule& rule, catalog::Notes& notes, Dataset& set) {
  const auto stored = load_placed(notes, rule, related);
  auto placed = stored;
  const auto buckets = buckets_of(related, rule, set, placed);
  for (auto& item : set.items) item.split = split_of(rule, buckets[related.of.at(item.video)]);
  // A split without a wanted side is refused, and then places nothing.
  const bool filled = (rule.test == 100 || set.count(Split::train) > 0) &&
                      (rule.val == 0 || set.count(Split::val) > 0) && (rule.test == 0 || set.count(Split::test) > 0);
  if (filled && placed != stored) store_placed(notes, rule, placed);
}

void split_by_time(const RelatedSets& related, const SplitRule& rule,
                   const std::unordered_map<std::string, std::int64_t>& created, Dataset& set) {
  struct RelatedSet {
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    std::size_t number = 0;
    std::vector<Item*> items = {};
  };
  std::map<std::size_t, RelatedSet> by_number;
  for (auto& item : set.items) {
    const auto number = related.of.at(item.video);
    auto& related_set = by_number[number];
    related_set.number = number;
    related_set.newest = std::max(related_set.newest, created.at(item.video));
    related_set.items.push_back(&item);
  }
  std::vector<RelatedSet> order;
  for (auto& [number, related_set] : by_number) order.push_back(std::move(related_set));
  std::sort(order.begin(), order.end(), [](const RelatedSet& a, const RelatedSet& b) {
    return std::tie(a.newest, a.number) < std::tie(b.newest, b.number);
  });
  // Chooses the side that contains a set's midpoint; each wanted side gets at least one.
  const double all = static_cast<double>(set.items.size());
  const double train = all * (100 - rule.val - rule.test) / 100.0, val = train + all * rule.val / 100.0;
  std::array<std::size_t, 3> count{};
  double before = 0.0;
  for (const auto& related_set : order) {
    const double middle = before + static_cast<double>(related_set.items.size()) / 2;
    ++count[middle <= train ? 0 : middle <= val ? 1 : 2];
    before += static_cast<double>(related_set.items.size());
  }
  const auto give_one = [&](std::size_t to, bool wanted, std::array<std::size_t, 2> from) {
    if (!wanted || count[to] > 0) return;
    auto& richest = count[from[0]] >= count[from[1]] ? count[from[0]] : count[from[1]];
    if (richest < 2) return;
    --richest;
    ++count[to];
  };
  give_one(2, rule.test > 0, {0, 1});
  give_one(1, rule.val > 0, {0, 2});
  give_one(0, true, {1, 2});
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto split = i < count[0] ? Split::train : i < count[0] + count[1] ? Split::val : Split::test;
    for (auto* item : order[i].items) item->split = split;
  }
}

namespace {

// Divides related sets that are in train only.
void divide_train(const RelatedSets& related, const SplitRule& rule, catalog::Notes& notes, Dataset& set) {
  std::vector<Item> given;
  std::erase_if(set.items, [&](Item& item) {
    if (item.split == Split::train) return false;
    given.push_back(std::move(item));
    return true;
  });
  check_set_count(related, rule, set);
  split_by_bucket(related, rule, notes, set);
  std::move(given.begin(), given.end(), std::back_inserter(set.items));
  std::sort(set.items.begin(), set.items.end(), [](const Item& a, const Item& b) { return a.video < b.video; });
}

}  // namespace

void split_by_source(const RelatedSets& related, const SplitRule& rule,
                     const std::unordered_map<std::string, std::string>& sources, catalog::Notes& notes, Dataset& set) {
  const auto side_of = [&](const Item& item) {
    return std::find(kSplitNames.begin(), kSplitNames.end(), sources.at(item.video)) - kSplitNames.begin();
  };
  std::map<std::size_t, std::ptrdiff_t> held_out;  // by related set
  for (const auto& item : set.items) {
    auto& side = held_out[related.of.at(item.video)];
    if (side_of(item) < std::ssize(kSplitNames)) side = std::max(side, side_of(item));
  }
  std::erase_if(set.items, [&](Item& item) {
    const auto own = side_of(item);
    const auto number = related.of.at(item.video);
    const auto side = held_out.at(number);
    if (own != side) {
      const bool known = own < std::ssize(kSplitNames);
      set.rejected.push_back({item.video, known ? "its group, its author or a copy stands in " +
                                                      std::string(kSplitNames.at(static_cast<std::size_t>(side)))
                                                : "its source is none of train, val, test"});
      return true;
    }
    item.split = static_cast<Split>(side);
    return false;
  });
  auto of_train = rule;
  if (set.count(Split::val) > 0) of_train.val = 0;
  if (set.count(Split::test) > 0) of_train.test = 0;
  if (of_train.val + of_train.test > 0) divide_train(related, of_train, notes, set);
}

std::string find_salt(const RelatedSets& related, const SplitRule& rule, const Dataset& set, catalog::Notes& notes) {
  if (auto noted = notes.get(kSaltNote)) return *noted;
  std::string best;
  double nearest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kSalts; ++i) {
    auto candidate = rule;
    candidate.salt = i == 0 ? SplitRule{}.salt : SplitRule{}.salt + "-" + std::to_string(i);
    const double far = distance(related, candidate, set);
    if (far >= nearest) continue;
    nearest = far;
    best = candidate.salt;
  }
  notes.put({.name = kSaltNote, .body = best});
  return best;
}

}  // namespace reeltag::dataset
