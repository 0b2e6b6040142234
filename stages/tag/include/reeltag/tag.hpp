// Tagging: a video in, its hashtags with scores and the moments that earned them out. Here is what a result is and
// what can be asked; reeltag/tagger.hpp has the models that answer, which need libtorch.
// Functions: any thread. Model: thread-safe. Everything else: plain values. A video that cannot be tagged comes back as
// Error.
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
  int top = 10;                // most tags of a video
  double view_seconds = 2.0;   // longest view
  int views = 60;              // most views of a video; beyond that they lie further apart
  bool whole_picture = false;  // views keep the picture's shape instead of being cropped square
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
  double score = 0.0;             // in [0,1]: of the video as a whole, or the mean over the views
  std::vector<Segment> segments;  // where it was seen
  double threshold = 0.0;         // the model's own: from here on it is sure
};

struct TagResult {
  std::string video;  // as it was asked for
  std::string model;
  double duration = 0.0;       // seconds
  std::vector<Tag> tags = {};  // by falling score
  bool unsure = false;         // no hashtag reached its threshold
  // What the model would say first if it were sure; empty unless unsure.
  std::vector<Tag> guesses = {};
  int views = 0;         // that were looked at
  bool partial = false;  // fewer than usual, for the deadline
};

// What may differ from one video to the next. Unset: as the model was loaded.
struct TagRequest {
  std::optional<double> threshold = {};  // replaces the model's own thresholds; 0 shows all hashtags
  std::optional<int> top = {};
  // Fewer views are looked at where all of them would take longer, by what earlier ones took; at least one.
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  std::function<void(double share)> progress = {};  // of the work on this video, in [0,1]; from any thread
  std::stop_token stop = {};
};

// A model that many may ask at once: videos are decoded by who asks, and what waits for the net is looked at together.
class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual const std::filesystem::path& folder() const = 0;  // its bundle
  [[nodiscard]] virtual const std::vector<std::string>& vocabulary() const = 0;
  // name: what the result calls the video. Fails as Decoder does, and with timeout when the deadline has passed before
  // anything was looked at, interrupted after a stop.
  virtual Result<TagResult> tag(media::Decoder& video, const std::string& name, const TagRequest& request) = 0;
};

// Maximal runs of views whose score is at least half of the best view's and above the threshold, as intervals.
// starts/ends are the views' bounds in order of time.
std::vector<Segment> segments_of(const std::vector<Segment>& views, const std::vector<float>& scores, double threshold);

// {"video","model","duration","tags":[{"hashtag","score","segments":[[start,end]]}]} and "unsure":true where it holds.
std::string to_json(const TagResult& tagged);

}  // namespace reeltag::tag
