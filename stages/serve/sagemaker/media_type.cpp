#include "media_type.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>

namespace reeltag::serve::sagemaker {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Returns the text up to the separator and removes both.
std::string_view take(std::string_view& text, char separator) {
  const auto at = std::min(text.find(separator), text.size());
  const auto part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return trimmed(part);
}

// "Video/MP4; codecs=avc1" is "video/mp4".
std::string type_of(std::string_view value) {
  std::string type(take(value, ';'));
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type;
}

double quality_of(std::string_view range) {
  take(range, ';');
  while (!range.empty()) {
    const auto parameter = take(range, ';');
    if (parameter.starts_with("q=") || parameter.starts_with("Q="))
      return std::strtod(std::string(parameter.substr(2)).c_str(), nullptr);
  }
  return 1.0;
}

bool matches(std::string_view range, MediaType media_type) {
  if (range == "*/*") return true;
  if (range == "text/*") return media_type == MediaType::csv;
  if (range == "application/*") return media_type != MediaType::csv;
  return media_type_named(range) == media_type;
}

// The quality of the most specific range that matches; 0 if none does.
double quality_of(std::string_view accept, MediaType media_type) {
  double quality = 0.0;
  int exactness = -1;
  while (!accept.empty()) {
    const auto range = take(accept, ',');
    const auto type = type_of(range);
    if (!matches(type, media_type)) continue;
    const int exact = type == "*/*" ? 0 : type.ends_with("/*") ? 1 : 2;
    if (exact > exactness) quality = quality_of(range);
    exactness = std::max(exact, exactness);
  }
  return quality;
}

}  // namespace

std::optional<Content> content_of(std::string_view content_type) {
  const auto type = type_of(content_type);
  if (type.empty() || type == "application/octet-stream" || type.starts_with("video/")) return Content::video;
  const auto media_type = media_type_named(type);
  if (media_type == MediaType::json) return Content::json;
  if (media_type == MediaType::json_lines) return Content::json_lines;
  return std::nullopt;
}

std::optional<MediaType> media_type_named(std::string_view media_type) {
  const auto type = type_of(media_type);
  if (type == "application/json") return MediaType::json;
  if (type == "application/jsonlines" || type == "application/x-jsonlines" || type == "application/jsonl")
    return MediaType::json_lines;
  if (type == "text/csv") return MediaType::csv;
  return std::nullopt;
}

std::optional<MediaType> accepted_media_type(std::string_view accept, MediaType preferred) {
  if (trimmed(accept).empty()) return preferred;
  std::optional<MediaType> best;
  double best_quality = 0.0;
  for (const MediaType media_type : {preferred, MediaType::json, MediaType::json_lines, MediaType::csv}) {
    const double quality = quality_of(accept, media_type);
    if (quality <= best_quality) continue;
    best = media_type;
    best_quality = quality;
  }
  return best;
}

std::string_view content_type_of(MediaType media_type) {
  switch (media_type) {
    case MediaType::json:
      return "application/json";
    case MediaType::json_lines:
      return "application/jsonlines";
    case MediaType::csv:
      break;
  }
  return "text/csv; charset=utf-8";
}

}  // namespace reeltag::serve::sagemaker
