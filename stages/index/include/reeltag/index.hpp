// The searchable library: one row per video with its caption, typed hashtags and predicted hashtags. It holds no
// original data: every row can be rebuilt from the catalog and a model, or from the output of `tag --json`.
// Thread-safe, and several processes may use one index at once; searches proceed while rows are written. Every call is
// one transaction: a kill at any moment leaves whole rows. Throws Exception: invalid_argument (a row that cannot be
// stored), not_found, unavailable (locked for too long, disk full), corrupt, permission_denied, unsupported. The
// interface does not expose the database (SQLite today).
//
//   auto index = index::open(home / "index" / "index.db", index::Missing::create);
//   index->put_texts({{.video = id, .caption = "at the beach", .typed = {"sea"}}});
//   for (const auto& hit : index->search("playing guitar", 10)) std::cout << hit.video << "\n";
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/base/json.hpp"

namespace reeltag::index {

// [start, end) in seconds.
struct Segment {
  double start = 0.0, end = 0.0;

  bool operator==(const Segment&) const = default;
};

struct Tag {
  std::string hashtag;  // without '#'
  double score = 0.0;   // in [0,1]
  std::vector<Segment> segments = {};

  bool operator==(const Tag&) const = default;
};

// The model of a prediction. version separates models that were retrained under one name; empty: unknown.
struct Model {
  std::string name, version = {};

  bool operator==(const Model&) const = default;
};

// Texts written by people. All strings here and below are UTF-8 without NUL.
struct Texts {
  std::string video;  // the catalog's id, or the video's location
  std::string caption = {};
  std::vector<std::string> typed = {};  // hashtags as typed, without '#'

  bool operator==(const Texts&) const = default;
};

// A model's prediction. Empty tags: the model was unsure, and the video need not be scored again.
struct Prediction {
  std::string video;
  Model model;
  std::vector<Tag> tags = {};

  bool operator==(const Prediction&) const = default;
};

// Reasons why a video was found, in this order.
enum class Why { caption, typed, predicted };
std::string_view why_name(Why why) noexcept;

struct Hit {
  std::string video;
  double score = 0.0;  // query words in caption or typed hashtags + scores of the predicted hashtags it names
  std::vector<Why> why;
  std::vector<Segment> segments;  // of the predicted hashtags in `named`; ascending, no overlaps
  std::vector<Tag> named;         // predicted hashtags that the query names, highest score first
  std::string caption;
  std::string name = {};  // of the video's file; not kept in the index: set by whoever knows it
};

struct Stats {
  std::int64_t videos = 0;
  std::int64_t captioned = 0;  // with a caption
  std::int64_t typed = 0;      // with a typed hashtag
  std::int64_t predicted = 0;  // with a predicted hashtag
  std::int64_t hashtags = 0;   // distinct predicted hashtags
  // Videos that each model has scored, including unsure ones; by name, then version.
  std::vector<std::pair<Model, std::int64_t>> models = {};
};

class Index {
 public:
  virtual ~Index() = default;

  // Sets caption and typed hashtags of each video, in order; a new video gets a row. Predictions are unchanged.
  virtual void put_texts(std::span<const Texts> videos) = 0;
  // Sets model and predicted hashtags likewise; texts are unchanged. A repeated hashtag keeps its higher score.
  virtual void put_predictions(std::span<const Prediction> videos) = 0;
  // Removes the rows of the videos for which gone returns true, and erases all removed data, earlier removals included,
  // from the index's files. Returns the number of rows. Throws unavailable if another process prevents it.
  virtual std::int64_t remove(const std::function<bool(const std::string& video)>& gone) = 0;
  // True if the row's prediction is by this model. An empty version, in the argument or the row, matches any.
  virtual bool predicted_by(std::string_view video, const Model& model) = 0;
  // Returns the videos with a score above 0, highest first; ties in order of insertion. The query is words and
  // #hashtags in any spelling (docs/adr/0090-index.md). There is no syntax: any bytes are valid, and a query without
  // words finds nothing. Only the first 32 distinct words count.
  virtual std::vector<Hit> search(std::string_view query, std::int64_t limit) = 0;
  virtual Stats stats() = 0;
};

enum class Missing {
  create,
  refuse  // throw not_found
};

// location: a file path. Throws unsupported for an index of another version of reeltag: delete and rebuild it.
std::unique_ptr<Index> open(const std::string& location, Missing missing);

// One line of `tag --json`: {"video","model","tags":[{"hashtag","score","segments":[[start,end]]}]}. It may also have
// "caption" (text) and "hashtags" (list of typed hashtags), as an import manifest has; then texts is set.
struct TagLine {
  Prediction prediction;
  std::optional<Texts> texts;
};
// Parses such a line. origin names the line in the error (invalid_argument).
Result<TagLine> tag_line(const nlohmann::json& line, const std::string& origin);

// {"query","results":[{"video","name","caption","score","why":[...],"segments":[[start,end]]}]}; name and caption only
// where there are any.
std::string to_json(std::string_view query, std::span<const Hit> hits);
// {"videos":n,"captioned":n,"typed":n,"predicted":n,"hashtags":n,"models":[{"model","version","videos":n}]}
std::string to_json(const Stats& stats);

}  // namespace reeltag::index
