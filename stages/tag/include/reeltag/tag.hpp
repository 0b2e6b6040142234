// Tagging: a video in, its hashtags with scores and the moments that earned them out.
// Tagger: one thread at a time. A video that cannot be tagged comes back as Error; a missing model throws Exception.
//
//   tag::Tagger tagger("models/starter", {});
//   if (auto tagged = tagger.tag("clip.mp4")) std::cout << tag::to_json(*tagged);
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
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
  double score = 0.0;             // in [0,1]: of the video as a whole, or the mean over the views (Scored in tag.cpp)
  std::vector<Segment> segments;  // where it was seen
};

struct Tagged {
  std::string video;  // as it was asked for
  std::string model;
  double duration = 0.0;       // seconds
  std::vector<Tag> tags = {};  // by falling score
  bool unsure = false;         // no hashtag reached its threshold
  // What the model would say first if it were sure; empty unless unsure.
  std::vector<Tag> guesses = {};
};

class Tagger {
 public:
  // threshold replaces the model's own thresholds; 0 shows all hashtags.
  Tagger(const std::filesystem::path& bundle, const TagConfig& config, std::optional<double> threshold = {});
  ~Tagger();
  Tagger(Tagger&&) noexcept;

  Result<Tagged> tag(const std::filesystem::path& video, const media::Limits& limits);
  // The same for an open video; name is what the result calls it.
  Result<Tagged> tag(media::Decoder& video, const std::string& name);
  [[nodiscard]] const std::string& model() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Maximal runs of views whose score is at least half of the best view's and above the threshold, as intervals.
// starts/ends are the views' bounds in order of time.
std::vector<Segment> segments_of(const std::vector<Segment>& views, const std::vector<float>& scores, double threshold);

// {"video","model","duration","tags":[{"hashtag","score","segments":[[start,end]]}]} and "unsure":true where it holds.
std::string to_json(const Tagged& tagged);

}  // namespace reeltag::tag
