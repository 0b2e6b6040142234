#include "api/replies.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "reeltag/base/control_characters.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/http/header_value.hpp"

namespace reeltag::serve {
namespace {

namespace server = http::server;

constexpr std::size_t kGuesses = 3;
constexpr std::size_t kSurest = 5;

Json segments_json(const std::vector<tag::Segment>& segments) {
  Json out = Json::array();
  for (const auto& s : segments) out.push_back({rounded(s.start, 3), rounded(s.end, 3)});
  return out;
}

Json tag_json(const tag::Tag& tag) {
  return {{"hashtag", tag.hashtag},
          {"score", rounded(tag.score, 4)},
          {"threshold", rounded(tag.threshold, 4)},
          {"segments", segments_json(tag.segments)}};
}

Json kept(const std::string& tagging) {
  auto json = Json::parse(tagging, nullptr, false);
  if (!json.is_object() || !json.contains("tags"))
    throw Exception(Code::corrupt, "the catalog holds no hashtags where there were some");
  return json;
}

// What a visitor is told of a reference that could not be fetched; none for failures of the video itself.
std::optional<std::string_view> detail_for_visitors(const catalog::Job& job) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kDetails{
      {{"permission_denied", "this address cannot be fetched from here"},
       {"not_found", "there is no file at this address"},
       {"timeout", "what is at this address comes too slowly"},
       {"unsupported", "there is no video at this address that can be read"},
       {"unavailable", "this address does not answer as it should"},
       {"internal", "something went wrong here; the job's id finds it in the server's log"}}};
  if (!job.owner.starts_with("visitor:") || job.reference.empty() || !job.video.empty()) return std::nullopt;
  const auto* found = std::find_if(kDetails.begin(), kDetails.end(),
                                   [&](const auto& detail) { return detail.first == job.error_code; });
  return found == kDetails.end() ? std::nullopt : std::optional(found->second);
}

Json problem_json(const catalog::Job& job) {
  const int status = job.error_code == "timeout" ? 504 : job.error_code == "internal" ? 500 : 422;
  return {{"type", "urn:reeltag:problem:" + job.error_code},
          {"title", server::reason(status)},
          {"status", status},
          {"detail", detail_for_visitors(job).value_or(job.error_message)},
          {"code", job.error_code},
          {"request", job.id}};
}

}  // namespace

std::string tagging_text(const tag::TagResult& tagged) {
  Json tags = Json::array();
  for (const auto& tag : tagged.tags) tags.push_back(tag_json(tag));
  const Json out{{"model", tagged.model},
                 {"duration", rounded(tagged.duration, 3)},
                 {"views", tagged.views},
                 {"partial", tagged.partial},
                 {"tags", tags}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json tags_json(const std::string& video, const std::string& tagging, std::int64_t top,
               const std::optional<double>& threshold) {
  const Json all = kept(tagging);
  Json tags = Json::array(), guesses = Json::array();
  for (const auto& tag : all["tags"]) {
    const double score = tag["score"].get<double>();
    const bool view = score >= threshold.value_or(tag["threshold"].get<double>());
    if (view && static_cast<std::int64_t>(tags.size()) < top) tags.push_back(tag);
    if (guesses.size() < kGuesses) guesses.push_back(tag);
  }
  Json out{{"video", video}, {"model", all["model"]}, {"duration", all["duration"]}, {"tags", tags}};
  if (tags.empty()) {
    out["unsure"] = true;
    out["guesses"] = guesses;
  }
  out["views"] = all["views"];
  out["partial"] = all["partial"];
  return out;
}

Json video_json(const catalog::VideoView& view) {
  const auto& v = view.video;
  Json out{{"video", v.id},
           {"name", view.name.empty() ? catalog::file_name_of(view.video) : view.name},
           {"added", v.added},
           {"duration", rounded(v.duration, 3)},
           {"width", v.width},
           {"height", v.height},
           {"size_bytes", v.size_bytes},
           {"caption", without_controls(v.caption)},
           {"hashtags", v.hashtags},
           {"mine", view.mine},
           {"source", v.source}};
  if (!view.tagging.empty()) out["tags"] = tags_json(v.id, view.tagging, kSurest, std::nullopt)["tags"];
  return out;
}

Json job_json(const catalog::Job& job, std::int64_t ahead) {
  Json out{{"job", job.id},
           {"state", catalog::state_name(job.state)},
           {"created", job.created},
           {"progress", rounded(job.progress, 3)},
           {"name", job.name}};
  if (!job.stage.empty()) out["stage"] = job.stage;
  if (!job.video.empty()) out["video"] = job.video;
  if (job.state == catalog::JobState::queued) out["ahead"] = ahead;
  if (job.state == catalog::JobState::failed) out["error"] = problem_json(job);
  return out;
}

server::Response json_reply(const Json& json, int status) {
  server::Response response{.status = status, .headers = {}, .body = {}};
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return std::move(response).with("Content-Type", "application/json");
}

Result<std::int64_t> query_number(const server::Request& request, std::string_view name, std::int64_t least,
                                  std::int64_t most, std::int64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc() && end == text->data() + text->size() && value >= least && value <= most) return value;
  return fail(Code::invalid_argument, std::string(name) + " must be a whole number from " + std::to_string(least) +
                                          " to " + std::to_string(most));
}

Json with_next(Json json, const std::optional<std::int64_t>& next) {
  if (next) json["next"] = std::to_string(*next);
  return json;
}

Result<std::optional<double>> query_real(const server::Request& request, std::string_view name, double least,
                                         double most) {
  const auto text = request.query_value(name);
  if (!text) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc() && end == text->data() + text->size() && value >= least && value <= most) return value;
  return fail(Code::invalid_argument,
              std::string(name) + " must be a number from " + Json(least).dump() + " to " + Json(most).dump());
}

bool is_json(const server::Request& request) {
  const auto type = http::parse_header_value(request.header("content-type"));
  return type && type->value == "application/json";
}

std::variant<nlohmann::json, server::Response> body_object(const server::Request& request) {
  if (!is_json(request)) return server::problem(415, "unsupported", "the body must be application/json");
  auto json = parse_json(request.body, "the body");
  if (!json) return server::problem(400, "invalid_argument", json.error().message);
  if (!json->is_object()) return server::problem(422, "invalid_argument", "the body must be a JSON object");
  return std::move(*json);
}

std::string clean_line(std::string_view text, std::size_t most) {
  // A round trip through JSON makes it valid UTF-8.
  std::string line = without_controls(nlohmann::json::parse(dump_json(std::string(text))).get<std::string>());
  if (line.size() <= most) return line;
  while (most > 0 && (static_cast<unsigned char>(line[most]) & 0xC0) == 0x80) --most;
  line.resize(most);
  return line;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_video_id(std::string_view text) { return is_hex(text, 64); }

}  // namespace reeltag::serve
