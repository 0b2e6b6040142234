#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/dataset/review.hpp"
#include "reeltag/hashtag.hpp"
#include "snapshot/format.hpp"
#include "snapshot/related.hpp"
#include "snapshot/split.hpp"
#include "vocabulary/vocabulary.hpp"

namespace reeltag::dataset {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAutoSalt = "auto";

[[noreturn]] void cannot_freeze(const std::string& message) {
  throw Exception(Code::invalid_config, "dataset freeze: " + message);
}

void check_options(const FreezeOptions& o) {
  const auto& s = o.split;
  const bool test_alone = s.val == 0 && s.test == 100;
  if (s.val < 0 || s.test < 0 || (s.val + s.test > 99 && !test_alone)) {
    cannot_freeze(
        "val and test are percentages that leave some for train; for a test set alone say --val 0 --test 100");
  }
  if (s.by != "related" && s.by != "group" && s.by != "time" && s.by != "source")
    cannot_freeze("split.by is related, group, time or source, not " + s.by);
  if (s.by == "time" && (s.turn != 0 || s.salt == kAutoSalt)) {
    cannot_freeze("a split by time has no salt to choose and cannot be turned");
  }
  if (o.labels != "multi" && o.labels != "single") cannot_freeze("labels is multi or single, not " + o.labels);
  if (o.min_support < 1 || o.max_hashtags < 1) cannot_freeze("min_support and max_hashtags are at least 1");
}

catalog::Filter filter_of(const FreezeOptions& o) {
  catalog::Filter filter;
  if (!o.source.empty()) filter.source = o.source;
  if (!o.hashtag.empty()) filter.hashtag = hashtag::normalize(o.hashtag);
  return filter;
}

// Everything that the id must depend on; files by content, not by path.
std::string options_json(const FreezeOptions& o, const SplitRule& rule, const std::set<std::string>& blocked,
                         const std::map<std::string, std::string>& spellings, const Dataset& set) {
  nlohmann::json split{{"val", rule.val}, {"test", rule.test}, {"salt", rule.salt}};
  // Omitted at their defaults, so that ids from before these options stay the same.
  if (rule.turn != 0) split["turn"] = rule.turn;
  const bool groupings = std::any_of(set.items.begin(), set.items.end(),
                                     [](const Item& item) { return !item.author.empty() || !item.cluster.empty(); });
  if (rule.by == "time" || rule.by == "source" || groupings) split["by"] = rule.by;
  nlohmann::json options{{"source", o.source},
                         {"hashtag", o.hashtag},
                         {"min_support", o.min_support},
                         {"max_hashtags", o.max_hashtags},
                         {"vocabulary", o.vocabulary.empty() ? "frequent" : "file"},
                         {"block", blocked},
                         {"drop_unlabelled", o.drop_unlabelled},
                         {"split", split}};
  if (!spellings.empty()) options["spellings"] = spellings;  // likewise
  return dump_json(options);
}

using GroupingOf = std::unordered_map<std::string_view, const catalog::SplitGrouping*>;

GroupingOf by_video(const std::vector<catalog::SplitGrouping>& groupings) {
  GroupingOf result;
  for (const auto& one : groupings) result.emplace(one.video, &one);
  return result;
}

// Reads the catalog's videos whose bytes exist.
void read_catalog(catalog::Catalog& catalog, store::Store& store, const FreezeOptions& options,
                  const GroupingOf& groupings, Dataset& set) {
  std::unordered_set<std::string> keys;
  for (auto& blob : store.list("")) keys.insert(std::move(blob.key));
  catalog.videos.each(filter_of(options), [&](const catalog::Video& v) {
    const auto at = groupings.find(v.id);
    if (at == groupings.end()) return;  // added after this freeze began
    if (!keys.contains(v.key)) {
      set.rejected.push_back({v.id, "the store has no " + v.key});
      return;
    }
    set.items.push_back({.video = v.id,
                         .key = v.key,
                         .group = v.group,
                         .split = Split::train,
                         .labels = {},
                         .hashtags = v.hashtags,
                         .caption = v.caption,
                         .author = at->second->author == v.group ? "" : at->second->author,
                         .cluster = at->second->cluster});
  });
  if (set.items.empty()) {
    const bool any = catalog.videos.count({}) > 0;
    cannot_freeze(
        any ? "no video of the catalog passes the filter, or the store has lost them: see `source` and `hashtag`"
            : "the catalog has no videos: import or collect some first");
  }
}

// Also drops decisions about blocked hashtags and spellings of none.
std::vector<std::string> vocabulary_of(const FreezeOptions& o, const std::vector<Item>& seen, LabelMode mode,
                                       const std::set<std::string>& blocked, Decisions& decided) {
  std::vector<std::string> vocabulary;
  if (o.vocabulary.empty()) {
    vocabulary = frequent_hashtags(seen, mode, blocked, o.min_support, o.max_hashtags);
    if (vocabulary.empty()) {
      cannot_freeze("no hashtag has " + std::to_string(o.min_support) +
                    " videos: lower min_support or add videos with hashtags");
    }
    return vocabulary;
  }
  if (decided.vocabulary.empty()) {
    cannot_freeze(o.vocabulary.string() +
                  " names no hashtag: write one on each line, without '#' (that begins a comment)");
  }
  for (const auto& hashtag : decided.vocabulary) {
    if (!blocked.contains(hashtag)) vocabulary.push_back(hashtag);
  }
  if (vocabulary.empty())
    cannot_freeze("every hashtag of " + o.vocabulary.string() + " is blocked by " + o.block.string());
  std::erase_if(decided.spellings,
                [&](const auto& one) { return blocked.contains(one.first) || blocked.contains(one.second); });
  return vocabulary;
}

void label(const FreezeOptions& options, const std::map<std::string, std::string>& spellings, Dataset& set) {
  const auto index = index_of(set.vocabulary, spellings);
  const bool drop = options.drop_unlabelled || set.label_mode == LabelMode::single;
  std::vector<Item> kept;
  std::int64_t labelled = 0;
  for (auto& item : set.items) {
    item.labels = labels_of(item.hashtags, index, set.label_mode);
    labelled += item.labels.empty() ? 0 : 1;
    if (item.labels.empty() && drop) {
      set.rejected.push_back({item.video, "no hashtag of the vocabulary"});
    } else {
      kept.push_back(std::move(item));
    }
  }
  set.items = std::move(kept);
  if (labelled == 0) cannot_freeze("no video has a hashtag of the vocabulary: look at the list of hashtags");
}

std::unordered_map<std::string, std::string> sources_of(catalog::Catalog& catalog) {
  std::unordered_map<std::string, std::string> sources;
  catalog.videos.each({}, [&](const catalog::Video& v) { sources.emplace(v.id, v.source); });
  return sources;
}

// The videos whose hashtags may be learned: where the split is given, those of a given test part are not.
std::vector<Item> without_given_test(catalog::Catalog& catalog, const FreezeOptions& options, const Dataset& set) {
  auto items = set.items;
  if (options.split.by != "source" || options.split.test == 100) return items;
  const auto sources = sources_of(catalog);
  std::erase_if(items, [&](const Item& item) {
    return sources.at(item.video) == kSplitNames[static_cast<std::size_t>(Split::test)];
  });
  return items;
}

void reject_undated(const GroupingOf& groupings, Dataset& set) {
  std::erase_if(set.items, [&](const Item& item) {
    const bool undated = !groupings.at(item.video)->created;
    if (undated) set.rejected.push_back({item.video, "no date, which a split by time needs"});
    return undated;
  });
}

// The effective rule, with the salt chosen for auto.
SplitRule split(const SplitRule& asked, const std::vector<catalog::SplitGrouping>& groupings,
                const GroupingOf& by_video, catalog::Catalog& catalog, Dataset& set) {
  auto rule = asked;
  const auto related = related_sets_of(groupings);
  if (rule.by == "time") {
    check_set_count(related, rule, set);
    std::unordered_map<std::string, std::int64_t> created;
    for (const auto& item : set.items) created.emplace(item.video, *by_video.at(item.video)->created);
    split_by_time(related, rule, created, set);
    return rule;
  }
  if (rule.by == "source") {
    split_by_source(related, rule, sources_of(catalog), catalog.notes, set);
    return rule;
  }
  check_set_count(related, rule, set);
  if (rule.salt == kAutoSalt) rule.salt = find_salt(related, rule, set, catalog.notes);
  split_by_bucket(related, rule, catalog.notes, set);
  return rule;
}

void check_splits(const FreezeOptions& o, const Dataset& set) {
  const std::array<int, 3> wanted{100 - o.split.val - o.split.test, o.split.val, o.split.test};
  for (const auto split : {Split::train, Split::val, Split::test}) {
    const auto i = static_cast<std::size_t>(split);
    if (wanted[i] == 0 || set.count(split) > 0) continue;
    if (o.split.by == "source")
      cannot_freeze("no video of the source train is left for " + std::string(kSplitNames[i]));
    cannot_freeze(
        "no group is left for " + std::string(kSplitNames[i]) + " (" + std::to_string(wanted[i]) +
        " % of the groups, " + std::to_string(set.items.size()) +
        " videos in all): earlier freezes have placed all of them, and a group that was placed never moves. Add videos "
        "of other groups, or say --salt NAME for a split that begins anew" +
        (o.split.turn != 0 ? ", or --turn 0" : ""));
  }
}

void write_folder(const Files& files, const fs::path& root) {
  fs::create_directories(root);
  const TemporaryFolder temporary(".freeze", root);
  const auto made = temporary.path() / "set";
  fs::create_directory(made);
  write_file(made / "videos.jsonl", files.videos_jsonl);
  write_file(made / "dataset.json", files.dataset_json);
  try {
    rename_durably(made, root / files.id);
  } catch (const Exception& e) {
    if (e.code() != Code::already_exists) throw;  // another process froze the same content at the same time
  }
}

}  // namespace

SplitRule choose_split(catalog::Catalog& catalog, const FreezeOptions& options, bool asked_for_test) {
  auto rule = options.split;
  if (rule.by == "auto") {
    std::set<std::string> sources;
    catalog.videos.each(filter_of(options), [&](const catalog::Video& v) { sources.insert(v.source); });
    const bool given = sources.size() > 1 && std::all_of(sources.begin(), sources.end(), [](const auto& source) {
                         return std::find(kSplitNames.begin(), kSplitNames.end(), source) != kSplitNames.end();
                       });
    rule.by = given && rule.test != 100 ? "source" : "related";
  }
  if (rule.by == "source" && !asked_for_test) rule.test = 0;
  return rule;
}

void check_group_count(catalog::Catalog& catalog, const FreezeOptions& options) {
  check_options(options);
  if (options.split.by == "source") return;  // the sources determine how many sides to divide
  std::vector<catalog::SplitGrouping> groupings;
  std::unordered_set<std::string> groups;
  catalog.fingerprints.each([&](const catalog::SplitGrouping& one) {
    groupings.push_back(one);
    groups.insert(one.group);
    if (options.split.by == "group") groupings.back().author = groupings.back().cluster = {};
  });
  if (groupings.empty()) return;  // freeze() reports that
  check_set_count(related_sets_of(groupings).groups.size(), groups.size(), options.split);
}

Dataset freeze(catalog::Catalog& catalog, store::Store& store, const FreezeOptions& options, const fs::path& root) {
  check_options(options);
  Dataset set;
  set.label_mode = options.labels == "single" ? LabelMode::single : LabelMode::multi;
  std::set<std::string> blocked;
  if (!options.block.empty()) {
    for (auto& hashtag : read_hashtags(options.block)) blocked.insert(std::move(hashtag));
  }
  Decisions decided;
  if (!options.vocabulary.empty()) decided = read_decisions(options.vocabulary);
  auto groupings = read_groupings(catalog);
  if (options.split.by == "group") {
    for (auto& one : groupings) one.author = one.cluster = {};
  }
  const auto of_video = by_video(groupings);
  read_catalog(catalog, store, options, of_video, set);
  if (options.split.by == "time") reject_undated(of_video, set);
  set.vocabulary = vocabulary_of(options, without_given_test(catalog, options, set), set.label_mode, blocked, decided);
  label(options, decided.spellings, set);
  const auto rule = split(options.split, groupings, of_video, catalog, set);
  set.options = options_json(options, rule, blocked, decided.spellings, set);
  check_splits(options, set);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto files = encode(set, std::chrono::duration_cast<std::chrono::seconds>(now).count());
  if (!fs::exists(root / files.id)) write_folder(files, root);
  return decode(root / files.id);
}

}  // namespace reeltag::dataset
