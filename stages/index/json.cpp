// JSON input and output of the index.
#include <nlohmann/json.hpp>

#include "check.hpp"

namespace reeltag::index {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& why) { throw Exception(Code::invalid_argument, why); }

std::string text_at(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) refuse(std::string("\"") + key + "\" is missing or no text");
  return it->get<std::string>();
}

const json& list_at(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_array()) refuse(std::string("\"") + key + "\" is missing or no list");
  return *it;
}

Segment segment_of(const json& value) {
  if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number()) {
    refuse("a segment is not [start, end]");
  }
  return {value[0].get<double>(), value[1].get<double>()};
}

Tag tag_of(const json& value) {
  if (!value.is_object()) refuse("a tag is no object");
  Tag tag{.hashtag = text_at(value, "hashtag")};
  const auto score = value.find("score");
  if (score == value.end() || !score->is_number()) refuse("\"score\" is missing or no number");
  tag.score = score->get<double>();
  if (value.contains("segments")) {
    for (const auto& segment : list_at(value, "segments")) tag.segments.push_back(segment_of(segment));
  }
  return tag;
}

TagLine line_of(const json& object) {
  if (!object.is_object()) refuse("not an object");
  TagLine line;
  line.prediction = {.video = text_at(object, "video"), .model = {.name = text_at(object, "model")}};
  for (const auto& tag : list_at(object, "tags")) line.prediction.tags.push_back(tag_of(tag));
  if (object.contains("caption") || object.contains("hashtags")) {
    line.texts = Texts{.video = line.prediction.video};
    if (object.contains("caption")) line.texts->caption = text_at(object, "caption");
    if (object.contains("hashtags")) {
      for (const auto& hashtag : list_at(object, "hashtags")) {
        if (!hashtag.is_string()) refuse("\"hashtags\" holds something that is no text");
        line.texts->typed.push_back(hashtag.get<std::string>());
      }
    }
    check(*line.texts);
  }
  check(line.prediction);
  return line;
}

}  // namespace

std::string_view why_name(Why why) noexcept {
  switch (why) {
    case Why::caption:
      return "caption";
    case Why::typed:
      return "typed";
    case Why::predicted:
      break;
  }
  return "predicted";
}

Result<TagLine> tag_line(const nlohmann::json& line, const std::string& origin) {
  try {
    return line_of(line);
  } catch (const Exception& e) {
    return fail(e.code(), origin + ": " + e.what());
  }
}

std::string to_json(std::string_view query, std::span<const Hit> hits) {
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (const auto& hit : hits) {
    auto why = nlohmann::ordered_json::array(), segments = nlohmann::ordered_json::array();
    for (const auto w : hit.why) why.push_back(why_name(w));
    for (const auto& s : hit.segments) segments.push_back({rounded(s.start, 3), rounded(s.end, 3)});
    results.push_back({{"video", hit.video}, {"score", rounded(hit.score, 4)}, {"why", why}, {"segments", segments}});
    if (!hit.name.empty()) results.back()["name"] = hit.name;
    if (!hit.caption.empty()) results.back()["caption"] = hit.caption;
  }
  return nlohmann::ordered_json{{"query", query}, {"results", results}}.dump(-1, ' ', false,
                                                                             nlohmann::json::error_handler_t::replace);
}

std::string to_json(const Stats& stats) {
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const auto& [model, videos] : stats.models) {
    models.push_back({{"model", model.name}, {"version", model.version}, {"videos", videos}});
  }
  return nlohmann::ordered_json{{"videos", stats.videos},       {"captioned", stats.captioned}, {"typed", stats.typed},
                                {"predicted", stats.predicted}, {"hashtags", stats.hashtags},   {"models", models}}
      .dump();
}

}  // namespace reeltag::index
