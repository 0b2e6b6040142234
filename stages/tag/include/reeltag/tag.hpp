// Tags videos: returns hashtags with scores and the segments in which they were found. This header has the request and
// result types and needs no libtorch; reeltag/tagger.hpp has the models.
// Functions: any thread. Model: thread-safe. Everything else: plain values. A video that cannot be tagged is returned
// as Error.
//
//   std::shared_ptr<tag::Model> model = tag::load_model("models/starter", {});
//   if (auto tagged = model->tag(*decoder, "clip.mp4", {})) std::cout << tag::to_json(*tagged);
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/media.hpp"

namespace reeltag::tag {

struct TagConfig {
  int top = 10;                // maximum number of tags per video
  double view_seconds = 2.0;   // maximum length of a view
  int views = 60;              // maximum number of views per video; a longer video has views further apart
  bool whole_picture = false;  // views keep the picture's aspect ratio instead of a square crop
};
template <class V>
void visit(V& v, TagConfig& c) {
  v("top", c.top, "Most hashtags shown for a video", config::Range{1, 100000});
  v("view_seconds", c.view_seconds, "Length of a view in seconds; neighbours overlap by half",
    config::Range{0.05, 86400});
  v("views", c.views, "Most views of a video; a longer video has views further apart", config::Range{1, 100000});
  v("whole_picture", c.whole_picture, "Views show all of a tall or wide picture instead of its central square");
}

// [start, end) in seconds.
struct Segment {
  double start = 0.0, end = 0.0;
};

struct Tag {
  std::string hashtag;
  double score = 0.0;             // in [0,1]: of the whole video, or the mean over the views
  std::vector<Segment> segments;  // views in which it was found
  double threshold = 0.0;         // the model's threshold for this hashtag
};

struct TagResult {
  std::string video;  // as given in the request
  std::string model;
  double duration = 0.0;       // seconds
  std::vector<Tag> tags = {};  // by descending score
  bool unsure = false;         // no hashtag reached its threshold
  // The best hashtags below their thresholds; empty unless unsure.
  std::vector<Tag> guesses = {};
  int views = 0;         // number of views that were scored
  bool partial = false;  // the deadline allowed fewer views than usual
};

// Per-video options. Unset: as the model was loaded.
struct TagRequest {
  std::optional<double> threshold = {};  // replaces the model's own thresholds; 0 shows all hashtags
  std::optional<int> top = {};
  // Time limit. If all views would take longer, as estimated from earlier videos, fewer are scored; at least one.
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  std::function<void(double share)> progress = {};  // fraction of this video's work, in [0,1]; called from any thread
  std::stop_token stop = {};
};

// A model for concurrent callers: each caller's thread decodes its video, and the waiting videos are scored in batches.
class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual const std::filesystem::path& folder() const = 0;  // its bundle
  [[nodiscard]] virtual const std::vector<std::string>& vocabulary() const = 0;
  // name: the result's `video`. Fails as Decoder does, with timeout if the deadline passed before any view was scored,
  // and with interrupted after a stop.
  virtual Result<TagResult> tag(media::Decoder& video, const std::string& name, const TagRequest& request) = 0;
};

// Returns maximal runs of views whose score is above the threshold and at least half of the best view's, as intervals.
// views are in order of time.
std::vector<Segment> segments_of(const std::vector<Segment>& views, const std::vector<float>& scores, double threshold);

// {"video","model","duration","tags":[{"hashtag","score","segments":[[start,end]]}]}, and "unsure":true with
// "guesses":[...] of the same form if unsure.
std::string to_json(const TagResult& tagged);

}  // namespace reeltag::tag
