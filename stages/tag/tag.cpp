#include "reeltag/tag.hpp"

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"
#include "reeltag/model/bundle.hpp"

namespace reeltag::tag {
namespace {

constexpr std::size_t kGuesses = 3;

}  // namespace

std::vector<Segment> segments_of(const std::vector<Segment>& views, const std::vector<float>& scores,
                                 double threshold) {
  std::vector<Segment> out;
  const float best = scores.empty() ? 0.0F : *std::max_element(scores.begin(), scores.end());
  bool open = false;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const bool in = scores[i] >= best / 2 && scores[i] > static_cast<float>(threshold);
    if (in && open) {
      out.back().end = std::max(out.back().end, views[i].end);
    } else if (in) {
      out.push_back(views[i]);
    }
    open = in;
  }
  return out;
}

namespace {

// A video's scores, and those of its moments. Where the model looks at the video as a whole that view gives the score,
// as in evaluation; else the score is the mean over the views.
struct Scored {
  std::vector<float> score;  // [class]
  std::vector<Segment> views;
  std::vector<std::vector<float>> view_scores;  // [view][class]
  Segment whole;
};

}  // namespace

struct Tagger::Impl {
  model::Predictor predictor;
  TagConfig config;
  std::optional<double> threshold;

  [[nodiscard]] double threshold_of(std::size_t c) const {
    return threshold ? *threshold : predictor.bundle().scoring.thresholds[c];
  }

  Result<Scored> score(media::Decoder& video) {
    const double duration = video.probe().duration;
    auto views = model::cover(duration, config.view_seconds, config.views);
    const bool whole = predictor.extractor().spans_video() && views.size() > 1;
    if (whole) views.insert(views.begin(), {0.0, duration});
    const auto p = predictor.predict(video, views);
    if (!p) return tl::unexpected<Error>(p.error());
    Scored out{.score = whole ? p->scores.front() : p->mean, .views = {}, .view_scores = {}, .whole = {0.0, duration}};
    for (std::size_t v = whole ? 1 : 0; v < views.size(); ++v) {
      out.views.push_back({views[v].start, views[v].end});
      out.view_scores.push_back(p->scores[v]);
    }
    return out;
  }

  [[nodiscard]] Tag make_tag(const Scored& s, std::size_t c, double segment_threshold) const {
    std::vector<float> scores;
    for (const auto& view : s.view_scores) scores.push_back(view[c]);
    Tag tag{.hashtag = predictor.bundle().vocabulary[c],
            .score = s.score[c],
            .segments = segments_of(s.views, scores, segment_threshold)};
    // Earned by the video as a whole, by no single moment.
    if (tag.segments.empty() && tag.score > segment_threshold) tag.segments.push_back(s.whole);
    return tag;
  }
};

Tagger::Tagger(const std::filesystem::path& bundle, const TagConfig& config, std::optional<double> threshold)
    : impl_(std::make_unique<Impl>(Impl{model::Predictor(bundle, config.whole_picture), config, threshold})) {}
Tagger::~Tagger() = default;
Tagger::Tagger(Tagger&&) noexcept = default;

const std::string& Tagger::model() const { return impl_->predictor.bundle().name; }

Result<Tagged> Tagger::tag(const std::filesystem::path& video, const media::Limits& limits) {
  auto decoder = media::Decoder::open(video, limits);
  if (!decoder) return tl::unexpected<Error>(decoder.error());
  return tag(**decoder, video.string());
}

Result<Tagged> Tagger::tag(media::Decoder& video, const std::string& name) {
  const auto scored = impl_->score(video);
  if (!scored) return tl::unexpected<Error>(scored.error());

  const std::vector<float>& score = scored->score;
  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
  Tagged out{
      .video = name, .model = model(), .duration = scored->whole.end, .tags = {}, .unsure = false, .guesses = {}};
  const auto top = static_cast<std::size_t>(impl_->config.top);
  for (const std::size_t c : order) {
    if (out.tags.size() == top) break;
    if (score[c] >= impl_->threshold_of(c)) out.tags.push_back(impl_->make_tag(*scored, c, impl_->threshold_of(c)));
  }
  out.unsure = out.tags.empty();
  for (std::size_t i = 0; out.unsure && i < std::min(kGuesses, order.size()); ++i) {
    out.guesses.push_back(impl_->make_tag(*scored, order[i], 0.0));
  }
  return out;
}

std::string to_json(const Tagged& t) {
  nlohmann::ordered_json tags = nlohmann::json::array();
  for (const auto& tag : t.tags) {
    nlohmann::ordered_json segments = nlohmann::json::array();
    for (const auto& s : tag.segments) segments.push_back({rounded(s.start, 3), rounded(s.end, 3)});
    tags.push_back({{"hashtag", tag.hashtag}, {"score", rounded(tag.score, 4)}, {"segments", segments}});
  }
  nlohmann::ordered_json out{
      {"video", t.video}, {"model", t.model}, {"duration", rounded(t.duration, 3)}, {"tags", tags}};
  if (t.unsure) out["unsure"] = true;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace reeltag::tag
