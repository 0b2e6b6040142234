#include "metadata.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "reeltag/base/base64.hpp"
#include "reeltag/base/control_characters.hpp"
#include "reeltag/http/header_value.hpp"

namespace reeltag::serve {
namespace {

constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxTypeBytes = 127;

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

void remove_controls(std::string& text) { text = without_controls(text); }

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

}  // namespace

Result<std::map<std::string, std::string>> parse_metadata(std::string_view header) {
  const auto wrong = [](const char* what) {
    return fail(Code::invalid_argument, std::string("Upload-Metadata: ") + what);
  };
  std::map<std::string, std::string> out;
  std::map<std::string, bool, std::less<>> seen;
  for (bool more = !trimmed(header).empty(); more;) {
    const auto comma = header.find(',');
    more = comma != std::string_view::npos;
    const auto pair = trimmed(header.substr(0, comma));
    if (more) header.remove_prefix(comma + 1);
    const auto key = pair.substr(0, pair.find(' '));
    if (key.empty()) return wrong("a key is empty");
    if (!seen.emplace(key, true).second) return wrong("a key is there twice");
    auto value = from_base64(trimmed(pair.substr(key.size())));
    if (!value) return wrong("a value is no base64");
    std::string name(key);
    if (!is_utf8(*value) || !is_utf8(name)) continue;
    remove_controls(*value);
    out.emplace(std::move(name), std::move(*value));
  }
  return out;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  constexpr std::int64_t kMax = 1'000'000'000'000'000;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  std::int64_t size = 0;
  if (!digits || std::from_chars(text.data(), text.data() + text.size(), size).ec != std::errc()) return std::nullopt;
  return size <= kMax ? std::optional(size) : std::nullopt;
}

std::string display_name(std::string_view text) {
  std::string name(text.substr(text.find_last_of("/\\") + 1));
  remove_controls(name);
  name.resize(std::min(name.size(), kMaxNameBytes));
  // The cut may have split a character of at most four bytes.
  for (int i = 0; i < 3 && name.size() >= kMaxNameBytes - 3 && !is_utf8(name); ++i) name.pop_back();
  return is_utf8(name) ? name : std::string();
}

Result<std::string> accepted_type(std::string_view content_type) {
  if (trimmed(content_type).empty()) return std::string();
  const auto parsed = http::parse_header_value(content_type);
  const std::string type = parsed ? parsed->value : std::string();
  const bool video = type.starts_with("video/") && type.size() > 6 && type.size() <= kMaxTypeBytes &&
                     type.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.+-", 6) == std::string::npos;
  // What systems give to videos, and what says nothing: the content decides.
  static constexpr std::array<std::string_view, 9> kOthers{"image/gif",
                                                           "image/apng",
                                                           "application/octet-stream",
                                                           "application/mp4",
                                                           "application/mxf",
                                                           "application/ogg",
                                                           "application/x-matroska",
                                                           "application/vnd.rn-realmedia",
                                                           "application/vnd.ms-asf"};
  if (video || std::find(kOthers.begin(), kOthers.end(), type) != kOthers.end()) return type;
  return fail(Code::unsupported, "want a video: video/*, image/gif or application/octet-stream");
}

Result<double> deadline_of(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find("deadline");
  if (found == metadata.end()) return 0.0;
  const std::string& text = found->second;
  double seconds = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (ec != std::errc() || end != text.data() + text.size() || !(seconds >= 0.1 && seconds <= 3600))
    return fail(Code::invalid_argument, "deadline: want seconds within 0.1 and 3600");
  return seconds;
}

}  // namespace reeltag::serve
