#include <algorithm>

#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"
#include "reeltag/tag.hpp"

namespace reeltag::tag {

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

nlohmann::ordered_json list_of(const std::vector<Tag>& tags) {
  nlohmann::ordered_json list = nlohmann::json::array();
  for (const auto& tag : tags) {
    nlohmann::ordered_json segments = nlohmann::json::array();
    for (const auto& s : tag.segments) segments.push_back({rounded(s.start, 3), rounded(s.end, 3)});
    list.push_back({{"hashtag", tag.hashtag}, {"score", rounded(tag.score, 4)}, {"segments", segments}});
  }
  return list;
}

}  // namespace

std::string to_json(const TagResult& t) {
  nlohmann::ordered_json out{
      {"video", t.video}, {"model", t.model}, {"duration", rounded(t.duration, 3)}, {"tags", list_of(t.tags)}};
  if (t.unsure) out["unsure"] = true;
  if (!t.guesses.empty()) out["guesses"] = list_of(t.guesses);
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace reeltag::tag
