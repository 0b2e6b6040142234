// Proposes a vocabulary from typed hashtags. Generic ones (#fyp and the like) are found by how frequent they are and
// how little they predict of the hashtags beside them; spellings of one word are merged where the data supports it. The
// result is a text file to read and edit, by which freeze() labels (docs/adr/0042-vocabulary-review.md). Uses no
// built-in word list and decodes no video.
// Functions, any thread. A Review is a plain value, the same for the same rows in any order.
// Failure: Exception. not_found and the like for files, invalid_config for a file that contradicts itself (the message
// names its line), invalid_argument for options out of range.
//
//   const auto found = dataset::review(dataset::typed_in_catalog(*catalog, {}), {}, {});
//   write_file("vocabulary.txt", dataset::review_text(found));   // edit it, then
//   dataset::freeze(*catalog, *store, {.vocabulary = "vocabulary.txt"}, root);
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/catalog.hpp"

namespace reeltag::dataset {

struct ReviewOptions {
  std::string labels = "multi";
  int min_support = 8;
  int min_groups = 2;
  int max_hashtags = 1000;
  double generic_share = 0.01;
  double generic_bits = 0.75;
};
template <class V>
void visit(V& v, ReviewOptions& c) {
  v("labels", c.labels, "Support by all hashtags of a video, or by its first one", config::OneOf{{"multi", "single"}});
  v("min_support", c.min_support, "Videos that a hashtag needs, its spellings included", config::Range{1, 1e9});
  v("min_groups", c.min_groups, "Groups (authors) that a hashtag needs: with one it is on one side of any split",
    config::Range{1, 1e9});
  v("max_hashtags", c.max_hashtags, "Most hashtags in the vocabulary", config::Range{1, 1e6});
  v("generic_share", c.generic_share, "Share of the videos with hashtags from which on a hashtag is asked what it says",
    config::Range{0.0, 1.0});
  v("generic_bits", c.generic_bits, "It is generic when it says less than this, in bits above chance",
    config::Range{0.0, 100.0});
}

// The hashtags of one video, normalized; an empty group means a group of its own.
struct TypedHashtags {
  std::vector<std::string> hashtags;
  std::string group;
};

// The catalog's videos, ordered by id, followed by its metadata-only posts, whose hashtags count as well. metadata_only
// false: videos only.
std::vector<TypedHashtags> typed_in_catalog(catalog::Catalog& catalog, const catalog::Filter& filter,
                                            bool metadata_only = true);
// The rows of a JSON Lines file with "hashtags" (a list, or one text separated by spaces) and optionally "group" or
// "author"; no videos needed. A bad row throws, naming its line.
std::vector<TypedHashtags> typed_in_manifest(const std::filesystem::path& manifest);

// A person's decisions: a vocabulary file as read. They take precedence over all statistics.
struct Decisions {
  std::vector<std::string> vocabulary;           // lines "tennis" and "color = colour", in order
  std::map<std::string, std::string> spellings;  // colour -> color
  std::set<std::string> out;                     // excluded: lines "- fyp"
};
Decisions read_decisions(const std::filesystem::path& file);

// How a hashtag relates to its companions, the other hashtags of its videos.
struct Companionship {
  std::int64_t companions = 0;
  double bits = 0.0;         // divergence of their distribution from that of all videos
  double chance = 0.0;       // divergence of as many companions drawn at random
  double accompanied = 0.0;  // share of its videos that also have a generic hashtag
  double company = 0.0;      // mean number of generic hashtags beside it per video
};

struct VocabularyEntry {
  std::string hashtag;
  std::int64_t videos = 0, groups = 0;  // including spellings
  std::vector<std::string> spellings;
  Companionship companionship;
};
struct ExcludedHashtag {  // with the reason
  std::string hashtag;
  std::int64_t videos = 0;
  Companionship companionship;
  std::string reason;
};
struct Merge {
  std::string hashtag, into;
  std::int64_t videos = 0, together = 0;  // videos with the first; videos with both
  double likeness = 0.0;                  // similarity of their companions, 0 to 1
  std::string reason;
};

struct Review {
  std::int64_t videos = 0, tagged = 0, distinct = 0;  // all; with a hashtag; distinct hashtags
  double usual_company = 0.0;                         // mean number of generic hashtags beside a non-generic one
  std::vector<VocabularyEntry> vocabulary;            // most frequent first, then by name; decided ones first
  std::vector<ExcludedHashtag> generic;               // most frequent first
  std::vector<ExcludedHashtag> blocked;               // by a person's decision
  std::vector<Merge> merges;                          // applied
  std::vector<Merge> suggested;                       // similar in spelling, but not supported by the data
  std::int64_t rare = 0;                              // hashtags below min_support or min_groups
};

Review review(std::span<const TypedHashtags> rows, const ReviewOptions& options, const Decisions& decided);

// The vocabulary file of a review: read_decisions() reads it; all figures and reasons are comments.
std::string review_text(const Review& found);
// One line: {"videos","tagged","distinct","vocabulary":[...],"generic":[...],"blocked","merges","suggested","rare"}
std::string to_json(const Review& found);

}  // namespace reeltag::dataset
