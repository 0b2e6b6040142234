#include "response.hpp"

#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"

namespace reeltag::serve::sagemaker {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const VideoResult& found) {
  if (!found.tagged) {
    const auto& error = found.tagged.error();
    return {{"video", found.name}, {"error", {{"code", code_name(error.code)}, {"message", error.message}}}};
  }
  auto object = ordered_json::parse(tag::to_json(*found.tagged));
  if (found.tagged->partial) object["partial"] = true;
  return object;
}

std::string dumped(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// RFC 4180. A line break in a name would split the record.
std::string field_of(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  if (text.find_first_of(",\"") == std::string::npos) return text;
  for (auto at = text.find('"'); at != std::string::npos; at = text.find('"', at + 2)) text.insert(at, 1, '"');
  return '"' + text + '"';
}

std::string csv_line_of(const VideoResult& found) {
  std::string line = field_of(found.name) + ",";
  if (!found.tagged) return line + std::string(code_name(found.tagged.error().code)) + ",";
  line += found.tagged->unsure ? "unsure," : "ok,";
  line += dumped(rounded(found.tagged->duration, 3));
  for (const auto& tag : found.tagged->tags) line += "," + field_of(tag.hashtag) + "," + dumped(rounded(tag.score, 4));
  return line;
}

}  // namespace

std::string text_of(const std::vector<VideoResult>& found, bool many, MediaType media_type) {
  std::string text;
  if (media_type == MediaType::csv) {
    for (const auto& one : found) text += csv_line_of(one) + "\n";
  } else if (media_type == MediaType::json_lines) {
    for (const auto& one : found) text += dumped(json_of(one)) + "\n";
  } else if (many) {
    ordered_json predictions = ordered_json::array();
    for (const auto& one : found) predictions.push_back(json_of(one));
    text = dumped({{"predictions", std::move(predictions)}});
  } else {
    text = dumped(json_of(found.front()));
  }
  return text;
}

}  // namespace reeltag::serve::sagemaker
