// The library that is searched: a row a video with its caption, the hashtags typed for it and those a model predicted.
// It holds nothing of its own: every row can be made anew from the catalog and a model, or from what `tag --json`
// wrote. Thread-safe, and several processes may use one index at once; searches go on while rows are written. Every
// call is one transaction: a kill at any moment leaves whole rows. Failures throw Exception: invalid_argument (a row
// that cannot be kept), not_found, unavailable (locked for too long, disk full), corrupt, permission_denied,
// unsupported. What lies underneath (SQLite today) does not show here.
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

// Which model predicted. A version tells apart what was trained anew under an old name; empty: not known.
struct Model {
  std::string name, version = {};

  bool operator==(const Model&) const = default;
};

// What people wrote. Texts here and below are UTF-8 without NUL.
struct Texts {
  std::string video;  // the catalog's id, or where the video is
  std::string caption = {};
  std::vector<std::string> typed = {};  // hashtags as typed, without '#'

  bool operator==(const Texts&) const = default;
};

// What a model saw. No tags: it was not sure of any, and need not look again.
struct Prediction {
  std::string video;
  Model model;
  std::vector<Tag> tags = {};

  bool operator==(const Prediction&) const = default;
};

// Why a video was found, in this order.
enum class Why { caption, typed, predicted };
std::string_view why_name(Why why) noexcept;

struct Hit {
  std::string video;
  double score = 0.0;  // words of the query in caption or typed hashtags + scores of the predicted hashtags it names
  std::vector<Why> why;
  std::vector<Segment> segments;  // of the predicted hashtags that the query names; ascending, no overlaps
  std::vector<Tag> named;         // those hashtags, highest score first
  std::string caption;
};

struct Stats {
  std::int64_t videos = 0;
  std::int64_t captioned = 0;  // with a caption
  std::int64_t typed = 0;      // with a typed hashtag
  std::int64_t predicted = 0;  // with a predicted hashtag
  std::int64_t hashtags = 0;   // different predicted ones
  // Videos that each model has looked at, unsure ones too; by name, then version.
  std::vector<std::pair<Model, std::int64_t>> models = {};
};

class Index {
 public:
  virtual ~Index() = default;

  // Sets caption and typed hashtags of each video, in order; a video that is new gets a row. Predictions stay.
  virtual void put_texts(std::span<const Texts> videos) = 0;
  // Sets model and predicted hashtags in the same way; texts stay. A hashtag given twice keeps its higher score.
  virtual void put_predictions(std::span<const Prediction> videos) = 0;
  // Removes the rows of the videos for which gone says true, and makes sure that nothing of what was ever removed can
  // be read from the index's files. Returns how many. Throws unavailable where another process keeps it from doing so.
  virtual std::int64_t remove(const std::function<bool(const std::string& video)>& gone) = 0;
  // Whether the row's prediction is by this model. An empty version, here or in the row, is any.
  virtual bool predicted_by(std::string_view video, const Model& model) = 0;
  // The videos with a score above 0, highest first; equal ones in the order in which they came into the index.
  // The query is words and #hashtags in any spelling (docs/adr/0090-index.md); there is no syntax to get wrong: any
  // bytes may be asked for, and what holds no word finds nothing. The first 32 different words count.
  virtual std::vector<Hit> search(std::string_view query, std::int64_t limit) = 0;
  virtual Stats stats() = 0;
};

enum class Missing {
  create,
  refuse  // not_found
};

// location: a file path. An index of another version of reeltag: unsupported; delete it and build it anew.
std::unique_ptr<Index> open(const std::string& location, Missing missing);

// One line of `tag --json`: {"video","model","tags":[{"hashtag","score","segments":[[start,end]]}]}. The line may also
// have "caption" (text) and "hashtags" (list of texts, as typed), as an import manifest has; then texts is set.
struct TagLine {
  Prediction prediction;
  std::optional<Texts> texts;
};
// origin names the line in the error (invalid_argument).
Result<TagLine> tag_line(const nlohmann::json& line, const std::string& origin);

// {"query","results":[{"video","score","why":[...],"segments":[[start,end]]}]}
std::string to_json(std::string_view query, std::span<const Hit> hits);
// {"videos":n,"captioned":n,"typed":n,"predicted":n,"hashtags":n,"models":[{"model","version","videos":n}]}
std::string to_json(const Stats& stats);

}  // namespace reeltag::index
