#include "split.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace reeltag::dataset {
namespace {

constexpr int kSalts = 64;
const std::string kSaltNote = "dataset/salt";

// Of the hashtags in val and test, how far their videos are from the wanted number: the sum of chi-squares, so that one
// video too many of a rare hashtag weighs more than of a frequent one.
double distance(const Families& families, const SplitRule& rule, const Dataset& set) {
  std::vector<Split> side;
  side.reserve(families.heads.size());
  for (const auto& head : families.heads) side.push_back(split_of(rule, head));
  std::vector<std::array<double, 3>> counts(set.vocabulary.size());
  for (const auto& item : set.items) {
    const auto at = static_cast<std::size_t>(side[families.of.at(item.video)]);
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

void split_by_kin(const Families& families, const SplitRule& rule, Dataset& set) {
  for (auto& item : set.items) item.split = split_of(rule, families.heads[families.of.at(item.video)]);
}

void split_by_time(const Families& families, const SplitRule& rule,
                   const std::unordered_map<std::string, std::int64_t>& created, Dataset& set) {
  struct Family {
    std::int64_t newest = std::numeric_limits<std::int64_t>::min();
    std::size_t number = 0;
    std::vector<Item*> items = {};
  };
  std::map<std::size_t, Family> by_number;
  for (auto& item : set.items) {
    const auto number = families.of.at(item.video);
    auto& family = by_number[number];
    family.number = number;
    family.newest = std::max(family.newest, created.at(item.video));
    family.items.push_back(&item);
  }
  std::vector<Family> order;
  for (auto& [number, family] : by_number) order.push_back(std::move(family));
  std::sort(order.begin(), order.end(), [](const Family& a, const Family& b) {
    return std::tie(a.newest, a.number) < std::tie(b.newest, b.number);
  });
  const double all = static_cast<double>(set.items.size());
  const double train = all * (100 - rule.val - rule.test) / 100.0, val = train + all * rule.val / 100.0;
  double before = 0.0;
  for (const auto& family : order) {
    // The side on which its middle falls.
    const double middle = before + static_cast<double>(family.items.size()) / 2;
    const auto split = middle <= train ? Split::train : middle <= val ? Split::val : Split::test;
    for (auto* item : family.items) item->split = split;
    before += static_cast<double>(family.items.size());
  }
}

void split_by_source(const Families& families, const SplitRule& rule,
                     const std::unordered_map<std::string, std::string>& sources, Dataset& set) {
  const auto side_of = [&](const Item& item) {
    return std::find(kSplitNames.begin(), kSplitNames.end(), sources.at(item.video)) - kSplitNames.begin();
  };
  std::map<std::size_t, std::ptrdiff_t> held_out;  // by family
  for (const auto& item : set.items) {
    auto& side = held_out[families.of.at(item.video)];
    if (side_of(item) < std::ssize(kSplitNames)) side = std::max(side, side_of(item));
  }
  std::erase_if(set.items, [&](Item& item) {
    const auto own = side_of(item);
    const auto number = families.of.at(item.video);
    const auto side = held_out.at(number);
    if (own != side) {
      const bool known = own < std::ssize(kSplitNames);
      set.rejected.push_back({item.video, known ? "its group, its author or a copy stands in " +
                                                      std::string(kSplitNames.at(static_cast<std::size_t>(side)))
                                                : "its source is none of train, val, test"});
      return true;
    }
    item.split = side == 0 ? split_of(rule, families.heads[number]) : static_cast<Split>(side);
    return false;
  });
}

std::string find_salt(const Families& families, const SplitRule& rule, const Dataset& set, catalog::Catalog& catalog) {
  if (auto noted = catalog.note(kSaltNote)) return *noted;
  std::string best;
  double nearest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kSalts; ++i) {
    auto candidate = rule;
    candidate.salt = i == 0 ? SplitRule{}.salt : SplitRule{}.salt + "-" + std::to_string(i);
    const double far = distance(families, candidate, set);
    if (far >= nearest) continue;
    nearest = far;
    best = candidate.salt;
  }
  catalog.record({.notes = {{kSaltNote, best}}});
  return best;
}

}  // namespace reeltag::dataset
