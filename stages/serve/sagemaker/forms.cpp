#include "forms.hpp"

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

// Up to the separator, which is taken off too.
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

bool matches(std::string_view range, Form form) {
  if (range == "*/*") return true;
  if (range == "text/*") return form == Form::csv;
  if (range == "application/*") return form != Form::csv;
  return form_named(range) == form;
}

// Of the most exact range that names the form; 0 where none does.
double quality_of(std::string_view accept, Form form) {
  double quality = 0.0;
  int exactness = -1;
  while (!accept.empty()) {
    const auto range = take(accept, ',');
    const auto type = type_of(range);
    if (!matches(type, form)) continue;
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
  const auto form = form_named(type);
  if (form == Form::json) return Content::json;
  if (form == Form::json_lines) return Content::json_lines;
  return std::nullopt;
}

std::optional<Form> form_named(std::string_view media_type) {
  const auto type = type_of(media_type);
  if (type == "application/json") return Form::json;
  if (type == "application/jsonlines" || type == "application/x-jsonlines" || type == "application/jsonl")
    return Form::json_lines;
  if (type == "text/csv") return Form::csv;
  return std::nullopt;
}

std::optional<Form> form_of(std::string_view accept, Form preferred) {
  if (trimmed(accept).empty()) return preferred;
  std::optional<Form> best;
  double best_quality = 0.0;
  for (const Form form : {preferred, Form::json, Form::json_lines, Form::csv}) {
    const double quality = quality_of(accept, form);
    if (quality <= best_quality) continue;
    best = form;
    best_quality = quality;
  }
  return best;
}

std::string_view content_type_of(Form form) {
  switch (form) {
    case Form::json:
      return "application/json";
    case Form::json_lines:
      return "application/jsonlines";
    case Form::csv:
      break;
  }
  return "text/csv; charset=utf-8";
}

}  // namespace reeltag::serve::sagemaker
