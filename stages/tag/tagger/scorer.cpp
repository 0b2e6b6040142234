#include "scorer.hpp"

#include <algorithm>
#include <numeric>

namespace reeltag::tag {
namespace {

constexpr std::size_t kGuesses = 3;

// A video's scores, and those of its views.
struct Scored {
  const std::vector<float>& score;  // [class]
  std::vector<Segment> views;
  std::vector<const std::vector<float>*> view_scores;  // [view][class]
  Segment whole;
};

Scored scored(const Plan& plan, const model::Prediction& prediction) {
  Scored out{.score = plan.whole ? prediction.scores.front() : prediction.mean,
             .views = {},
             .view_scores = {},
             .whole = {0.0, plan.duration}};
  for (std::size_t v = plan.whole ? 1 : 0; v < plan.views.size(); ++v) {
    out.views.push_back({plan.views[v].start, plan.views[v].end});
    out.view_scores.push_back(&prediction.scores[v]);
  }
  return out;
}

Tag make_tag(const model::Bundle& bundle, const Scored& s, std::size_t c, double segment_threshold) {
  std::vector<float> scores;
  for (const auto* view : s.view_scores) scores.push_back((*view)[c]);
  Tag tag{.hashtag = bundle.vocabulary[c],
          .score = s.score[c],
          .segments = segments_of(s.views, scores, segment_threshold),
          .threshold = bundle.scoring.thresholds[c]};
  // The tag scores in the whole video, but in no single view.
  if (tag.segments.empty() && tag.score > segment_threshold) tag.segments.push_back(s.whole);
  return tag;
}

}  // namespace

Plan plan_views(const model::Extractor& extractor, const TagConfig& config, double duration, std::int64_t most) {
  const auto all = model::cover(duration, config.view_seconds, config.views);
  Plan plan{.duration = duration, .views = all};
  plan.whole = extractor.spans_video() && all.size() > 1;
  const auto wanted = static_cast<std::int64_t>(all.size()) + (plan.whole ? 1 : 0);
  if (most < wanted) {
    plan.partial = true;
    // The view over the whole video has priority over shorter ones.
    const auto moments = std::max<std::int64_t>(most - (plan.whole ? 1 : 0), plan.whole ? 0 : 1);
    plan.views = moments == 0 ? std::vector<model::View>{}
                              : model::cover(duration, config.view_seconds, static_cast<int>(moments));
  }
  if (plan.whole) plan.views.insert(plan.views.begin(), {0.0, duration});
  return plan;
}

TagResult choose_tags(const model::Bundle& bundle, const Plan& plan, const model::Prediction& prediction,
                      const Choice& choice) {
  const Scored s = scored(plan, prediction);
  std::vector<std::size_t> order(s.score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return s.score[a] > s.score[b]; });
  TagResult out{.video = {},
                .model = bundle.name,
                .duration = plan.duration,
                .views = static_cast<int>(plan.views.size()),
                .partial = plan.partial};
  for (const std::size_t c : order) {
    if (out.tags.size() == static_cast<std::size_t>(choice.top)) break;
    const double own = bundle.scoring.thresholds[c], threshold = choice.threshold.value_or(own);
    // Tags above the model's own threshold keep their segments when a lower threshold is requested.
    const double segments = s.score[c] >= own ? std::max(own, threshold) : threshold;
    if (s.score[c] >= threshold) out.tags.push_back(make_tag(bundle, s, c, segments));
  }
  out.unsure = out.tags.empty();
  for (std::size_t i = 0; out.unsure && i < std::min(kGuesses, order.size()); ++i)
    out.guesses.push_back(make_tag(bundle, s, order[i], 0.0));
  return out;
}

}  // namespace reeltag::tag
