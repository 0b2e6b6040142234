// Freezes snapshots of the catalog: videos, vocabulary, labels and split. The data of a training can thus be named by
// one id and inspected after the catalog has grown.
// A dataset is a folder <root>/<id>/ that never changes (docs/adr/0040-dataset-format.md); its id is derived from its
// content, so the same catalog and options give the same id on any machine and day.
// Functions: any thread; two processes may freeze into one root. Dataset: a plain value.
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

// multi:  a video's labels are all its hashtags that are in the vocabulary, possibly none.
// single: a video's class is the first of its hashtags that is in the vocabulary.
enum class LabelMode { multi, single };
enum class Split { train, val, test };
inline constexpr std::array<std::string_view, 2> kLabelModeNames{"multi", "single"};
inline constexpr std::array<std::string_view, 3> kSplitNames{"train", "val", "test"};

// val 0 and test 100: a test set alone, for a model that exists.
// A group's bucket is SHA-1(salt + group) modulo 100, in Python int(hashlib.sha1((salt + group).encode()).hexdigest(),
// 16) % 100.
// Side: b = (bucket + turn) modulo 100; b < val: val; b >= 100 - test: test; else train. Cross-validation: test 20 with
// turns 0, 20, 40, 60 and 80 tests every group once.
// In a catalog of fewer than 100 groups (of related sets, by related) the hash only orders them; val and test say how
// many go to each side, at least one, and the catalog stores where each was placed (docs/adr/0045).
// by related: videos of one group, of one author and copies of each other form a set of related videos and stay
// together; the group of its oldest video decides. Adding data never moves a set, unless it joins two sets into one.
// by group: the group alone decides, as before related sets existed.
// by source: for data with a given split. Videos of the sources train, val and test go to those sides; those of train
// with related videos on another side are left out, likewise those of val with related videos in test. If no video has
// the source val or test, train is divided by the percentage for that side. The vocabulary is that of train and val.
// by time: related sets in the order of their newest videos, oldest in train, newest in test. Changes as data is added.
struct SplitRule {
  int val = 10, test = 10;       // percent of the groups; by time: of the videos
  std::string salt = "reeltag";  // "auto": the first freeze chooses and stores one that balances hashtag shares
  int turn = 0;
  std::string by = "related";  // "auto" for the command line: see choose_split()
};
template <class V>
void visit(V& v, SplitRule& c) {
  v("val", c.val, "Percent of the groups for validation", config::Range{0, 99});
  v("test", c.test, "Percent of the groups for the final test; 100: a test set alone", config::Range{0, 100});
  v("salt", c.salt, "Another salt, another split; auto: one under which hashtags are shared out evenly");
  v("turn", c.turn, "Percent by which the split is turned, for cross-validation", config::Range{0, 99});
  v("by", c.by, "What decides: related sets of group, author and copies; the group alone; the date; the source",
    config::OneOf{{"related", "group", "time", "source"}});
}
int bucket_of(const SplitRule& rule, std::string_view group);  // 0 to 99
Split split_of(const SplitRule& rule, int bucket);
// For a catalog of at least 100 groups.
Split split_of(const SplitRule& rule, std::string_view group);

struct FreezeOptions {
  std::string source = {};   // only videos of this source; empty: all
  std::string hashtag = {};  // only videos with this hashtag; empty: all
  std::string labels = "multi";
  int min_support = 8;
  int max_hashtags = 1000;
  std::filesystem::path vocabulary = {};  // file; empty: the most frequent hashtags
  std::filesystem::path block = {};       // file; empty: none blocked
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
  std::vector<std::string> hashtags;  // all hashtags of the video
  std::string caption;
  std::string author = {};   // salted hash, if known and different from the group
  std::string cluster = {};  // shared by copies; empty: no copy known
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
  std::string options = "{}";  // JSON: the options of freeze(), with the blocked hashtags written out
  std::int64_t forgotten = 0;  // videos removed since it was frozen

  [[nodiscard]] std::int64_t count(Split split) const;
  // Videos of each hashtag in each split, as [hashtag][split].
  [[nodiscard]] std::vector<std::array<std::int64_t, 3>> support() const;
};

// Names a group, author or cluster of copies that is on two sides of the split, with the two videos; empty if none is.
// Metrics on such a set would be too high.
std::string parted(const Dataset& set);
// Throws corrupt with the text of parted(), if any.
void check_groups(const Dataset& set);
// Throws invalid_argument, saying what helps, for a set with a single class, or none: nothing can be told apart.
void check_classes(const Dataset& set);

// Computes the fingerprints of videos that have none, storing each at once: a stopped or killed run resumes. A video
// that does not decode gets an empty one. Throws interrupted. Returns how many videos it processed.
std::int64_t take_fingerprints(catalog::Catalog& catalog, store::Store& store, const media::Limits& limits,
                               const std::stop_token& stop,
                               const std::function<void(std::int64_t done, std::int64_t total)>& progress = nullptr);

// Resolves `by` "auto": source if every video that passes the filter has the source train, val or test, and not all the
// same one; else related. A test part that nobody asked for is not cut from given ones: test becomes 0.
SplitRule choose_split(catalog::Catalog& catalog, const FreezeOptions& options, bool asked_for_test);

// Throws invalid_config, saying what would work, if the catalog has too few groups for all sides that the options want.
// Copies not found yet (take_fingerprints) may reduce the number further.
void check_group_count(catalog::Catalog& catalog, const FreezeOptions& options);

// Writes the snapshot, or returns the existing one. Videos whose bytes are missing from the store are rejected.
// Copies are found through fingerprints: call take_fingerprints() first.
Dataset freeze(catalog::Catalog& catalog, store::Store& store, const FreezeOptions& options,
               const std::filesystem::path& root);

// id: the full id, a unique prefix, or empty for the newest. Verifies all content against the id. Videos with a
// tombstone are left out and counted.
Dataset load(const std::filesystem::path& root, const std::string& id, const catalog::TombstoneSet& tombstones = {});

// Removes everything with a tombstone from the files of all datasets in root; ids stay. Deletes report.html of the
// affected sets first. A kill at any moment leaves each set complete, with the videos or without. Sets that cannot be
// read are in `unreadable` and must be deleted.
struct RedactedSet {
  std::string id;
  std::int64_t videos = 0;  // removed by this call
  bool report = false;      // report.html existed and was deleted
};
struct Redaction {
  std::vector<RedactedSet> sets = {};  // sets from which something was removed
  std::vector<Error> unreadable = {};
};
Redaction redact(const std::filesystem::path& root, const catalog::TombstoneSet& tombstones);

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

// The datasets in root, newest first. A folder that cannot be read is an error in its position.
std::vector<Result<Summary>> list(const std::filesystem::path& root);

// {"dataset":id,"videos":{"train":n,"val":n,"test":n},"hashtags":n,"rejected":n,"forgotten":n,"labels":"multi","created":n}
std::string to_json(const Summary& summary);
// The same with "vocabulary":[{"hashtag","train","val","test"}], "options" and "rejected":[{"video","reason"}]; and
// "parted" with the text of parted(), if any.
std::string to_json(const Dataset& set);

}  // namespace reeltag::dataset
