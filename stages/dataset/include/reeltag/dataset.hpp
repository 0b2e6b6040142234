// Frozen snapshots of the catalog: which videos, which vocabulary, which labels, which split. What a training used can
// so be named by one id, and looked at, long after the catalog has grown.
// A dataset is a folder <root>/<id>/ that is never changed (docs/adr/0040-dataset-format.md); its id is made of its
// content, so the same catalog and the same options give the same id on any machine and day.
// Functions: any thread; two programs may freeze into one root. Dataset: a plain value.
// Failure: Exception. invalid_config for options that leave nothing to train on (the message says what to change),
// not_found, corrupt (the folder contradicts its id), unsupported (written by a newer reeltag).
//
//   auto set = dataset::freeze(*catalog, *store, {.min_support = 20}, home / "datasets");
//   auto same = dataset::load(home / "datasets", set.id);
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/catalog.hpp"
#include "reeltag/media.hpp"
#include "reeltag/store.hpp"

namespace reeltag::dataset {

// multi:  a video has all its hashtags that are in the vocabulary, perhaps none.
// single: a video has one class, the first of its hashtags that is in the vocabulary.
enum class LabelMode { multi, single };
enum class Split { train, val, test };
inline constexpr std::array<std::string_view, 2> kLabelModeNames{"multi", "single"};
inline constexpr std::array<std::string_view, 3> kSplitNames{"train", "val", "test"};

// A group's bucket is SHA-1(salt + group) modulo 100, in Python
// int(hashlib.sha1((salt + group).encode()).hexdigest(), 16) % 100. (bucket + turn) modulo 100 < val: val; >= 100 -
// test: test; else train. Cross-validation turns: test 20 with turn 0, 20, 40, 60 and 80 tests every group once. In a
// catalog of fewer than 100 groups (of related sets, by related) the hash only orders them, and val and test say how
// many go to each side, at least one; the catalog keeps where each was placed (docs/adr/0045). by related: videos of
// one group, of one author and copies of each other are a set of related videos and stay together; the group of its
// oldest video decides. A set of related videos never changes sides when data is added, unless that makes two of them
// one. by group: the group alone decides, as before there were related sets. by source: videos of the sources train,
// val and test stand where these say; those of train with related videos on another side are left out, likewise those
// of val with related videos in test. For what came ready split. val and test divide those of train, each where no
// video has that source. by time: related sets in the order of their newest videos, oldest in train, newest in test.
// Moves as data is added.
struct SplitRule {
  int val = 10, test = 10;       // percent of the groups; by time: of the videos
  std::string salt = "reeltag";  // "auto": chosen by the first freeze, for hashtag shares as wanted, and kept
  int turn = 0;
  std::string by = "related";
};
template <class V>
void visit(V& v, SplitRule& c) {
  v("val", c.val, "Percent of the groups for validation", config::Range{0, 99});
  v("test", c.test, "Percent of the groups for the final test", config::Range{0, 99});
  v("salt", c.salt, "Another salt, another split; auto: one under which hashtags are shared out evenly");
  v("turn", c.turn, "Percent by which the split is turned, for cross-validation", config::Range{0, 99});
  v("by", c.by, "What decides: related sets of group, author and copies; the group alone; the date; the source",
    config::OneOf{{"related", "group", "time", "source"}});
}
int bucket_of(const SplitRule& rule, std::string_view group);  // 0 to 99
Split split_of(const SplitRule& rule, int bucket);
// In a catalog of many groups.
Split split_of(const SplitRule& rule, std::string_view group);

struct FreezeOptions {
  std::string source = {};   // only videos of this source; empty: all
  std::string hashtag = {};  // only videos with this hashtag; empty: all
  std::string labels = "multi";
  int min_support = 8;
  int max_hashtags = 1000;
  std::filesystem::path vocabulary = {};  // file; empty: the most frequent hashtags
  std::filesystem::path block = {};       // file; empty: nothing blocked
  bool drop_unlabelled = false;
  SplitRule split = {};
};
template <class V>
void visit(V& v, FreezeOptions& c) {
  v("source", c.source, "Only videos of this source; empty for all");
  v("hashtag", c.hashtag, "Only videos with this hashtag; empty for all");
  v("labels", c.labels, "All hashtags of a video, or one class", config::OneOf{{"multi", "single"}});
  v("min_support", c.min_support, "Videos that a hashtag needs to enter the vocabulary", config::Range{1, 1e9});
  v("max_hashtags", c.max_hashtags, "Most hashtags in the vocabulary", config::Range{1, 1e6});
  v("vocabulary", c.vocabulary,
    "File with the vocabulary: a hashtag a line, in order, = before its spellings; # begins a comment");
  v("block", c.block, "File with hashtags that never enter the vocabulary");
  v("drop_unlabelled", c.drop_unlabelled, "Leave out videos without a hashtag of the vocabulary");
  v.section("split", c.split);
}

struct Item {
  std::string video;  // the catalog's id
  std::string key;    // in the store
  std::string group;
  Split split = Split::train;
  std::vector<int> labels;            // ascending indices into the vocabulary; exactly one in single mode
  std::vector<std::string> hashtags;  // all that were typed
  std::string caption;
  std::string author = {};   // salted hash, where it is known and not the group
  std::string cluster = {};  // shared by copies; empty for a video without
};

struct RejectedVideo {
  std::string video;
  std::string reason;
};

struct Dataset {
  std::string id;            // 16 hexadecimal digits
  std::int64_t created = 0;  // seconds since 1970; not part of the id
  LabelMode label_mode = LabelMode::multi;
  std::vector<std::string> vocabulary;
  std::vector<Item> items;  // ordered by video
  std::vector<RejectedVideo> rejected;
  std::string options = "{}";  // JSON: what freeze() was given, with the blocked hashtags spelt out
  std::int64_t forgotten = 0;  // videos that it had when it was frozen and that are left out by now

  [[nodiscard]] std::int64_t count(Split split) const;
  // Videos of each hashtag in each split, as [hashtag][split].
  [[nodiscard]] std::vector<std::array<std::int64_t, 3>> support() const;
};

// What stands on two sides of the split (a group, an author or a cluster of copies), with the two videos; empty:
// nothing does. Figures of such a set would be too good.
std::string parted(const Dataset& set);
// Throws corrupt with what parted() says, if anything.
void check_groups(const Dataset& set);

// Takes the fingerprints of videos that have none yet, each noted as soon as it is done: stopped or killed, it goes on
// where it was. A video that does not decode has an empty one. Throws interrupted. Returns how many it looked at.
std::int64_t take_fingerprints(catalog::Catalog& catalog, store::Store& store, const media::Limits& limits,
                               const std::stop_token& stop,
                               const std::function<void(std::int64_t done, std::int64_t total)>& progress = nullptr);

// Throws invalid_config, saying what would work, where the catalog has too few groups for all sides of the split that
// the options want. Copies that have not been found yet (take_fingerprints) may still make them fewer.
void check_group_count(catalog::Catalog& catalog, const FreezeOptions& options);

// Writes the snapshot, or finds that it is there already. Videos whose bytes the store has lost are rejected.
// Copies are those that fingerprints tell: take_fingerprints() first.
Dataset freeze(catalog::Catalog& catalog, store::Store& store, const FreezeOptions& options,
               const std::filesystem::path& root);

// id: the full id, the beginning of just one, or empty for the newest. Everything is checked against the id. Videos
// with a tombstone are left out and counted.
Dataset load(const std::filesystem::path& root, const std::string& id, const catalog::Tombstones& tombstones = {});

// Takes what has a tombstone out of the files of every dataset in root; ids stay. report.html of the sets concerned is
// deleted first. A kill at any moment leaves each set whole, with the videos or without. What cannot be read is in
// `unreadable` and has to be deleted.
struct RedactedSet {
  std::string id;
  std::int64_t videos = 0;  // taken out now
  bool report = false;      // there was one
};
struct Redaction {
  std::vector<RedactedSet> sets = {};  // in which something was found
  std::vector<Error> unreadable = {};
};
Redaction redact(const std::filesystem::path& root, const catalog::Tombstones& tombstones);

struct Summary {
  std::string id;
  std::int64_t created = 0;
  LabelMode label_mode = LabelMode::multi;
  std::array<std::int64_t, 3> videos{};  // train, val, test
  std::int64_t hashtags = 0;
  std::int64_t rejected = 0;
  std::int64_t forgotten = 0;
};
Summary summary_of(const Dataset& set);

// What stands in root, newest first. A folder that cannot be read is an error in its place.
std::vector<Result<Summary>> list(const std::filesystem::path& root);

// {"dataset":id,"videos":{"train":n,"val":n,"test":n},"hashtags":n,"rejected":n,"forgotten":n,"labels":"multi","created":n}
std::string to_json(const Summary& summary);
// The same with "vocabulary":[{"hashtag","train","val","test"}], "options" and "rejected":[{"video","reason"}]; and
// "parted" with what parted() says, if anything.
std::string to_json(const Dataset& set);

}  // namespace reeltag::dataset
