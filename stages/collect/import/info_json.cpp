#include "import/info_json.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/hashtag.hpp"
#include "reeltag/media/file_types.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kEnding = ".info.json";
constexpr std::int64_t kMaxInfoBytes = 32LL << 20;  // lists of formats and comments make them long

// "name" for name.info.json.
std::string stem_of(const fs::path& info) {
  const auto name = info.filename().string();
  return name.substr(0, name.size() - kEnding.size());
}

// Counts and similar fields, under yt-dlp's names. No personal names.
std::string info_attributes(const json& info) {
  json kept = json::object();
  for (const char* key : {"extractor", "upload_date", "track", "view_count", "like_count", "repost_count",
                          "comment_count", "save_count"}) {
    if (const auto at = info.find(key); at != info.end() && !at->is_null()) kept[key] = *at;
  }
  return dump_json(kept);
}

// Midnight UTC of "20261126"; nothing for an invalid date.
std::optional<std::int64_t> seconds_of_upload_date(const std::string& text) {
  if (text.size() != 8 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const int number = std::stoi(text);
  const std::chrono::year_month_day date{std::chrono::year(number / 10'000),
                                         std::chrono::month(static_cast<unsigned>(number / 100 % 100)),
                                         std::chrono::day(static_cast<unsigned>(number % 100))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::seconds(std::chrono::sys_days(date).time_since_epoch()).count();
}

bool is_playlist(const fs::path& info) {
  const auto text = read_file(info, kMaxInfoBytes);
  if (!text) return false;
  const auto parsed = parse_json(*text, info.string());
  return parsed && parsed->is_object() && text_or_empty(*parsed, "_type") == "playlist";
}

}  // namespace

bool is_info_json(const fs::path& path) {
  const auto name = path.filename().string();
  return name.size() > kEnding.size() && name.ends_with(kEnding);
}

std::optional<fs::path> info_json_of(const fs::path& video) {
  auto info = video;
  info.replace_extension(std::string(kEnding));
  std::error_code error;
  return fs::is_regular_file(info, error) ? std::optional(info) : std::nullopt;
}

fs::path video_of_info(const fs::path& info) {
  const auto stem = stem_of(info);
  std::error_code error;
  fs::path found;
  const auto folder = info.has_parent_path() ? info.parent_path() : fs::path(".");
  fs::directory_iterator it(folder, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    const auto& file = it->path();
    const bool named = file.stem().string() == stem && media::has_video_ending(file) && !it->is_directory(error);
    if (named && (found.empty() || file.filename() < found.filename())) found = info.parent_path() / file.filename();
  }
  return found;
}

void take_info(const json& info, Candidate& c) {
  c.source_id = text_or_empty(info, "id");
  c.author = text_or_empty(info, "uploader");
  // If a site has no uploader, yt-dlp may report the video's own id.
  if (c.author.empty() && text_or_empty(info, "uploader_id") != c.source_id)
    c.author = text_or_empty(info, "uploader_id");
  c.group_by_author = true;
  c.caption = text_or_empty(info, "description");
  if (c.caption.empty()) c.caption = text_or_empty(info, "title");
  auto tags = c.hashtags;  // from the label folder
  for (auto& tag : hashtag::find_in_caption(c.caption)) tags.push_back(std::move(tag));
  if (const auto list = info.find("tags"); list != info.end() && list->is_array()) {
    for (const auto& tag : *list) {
      if (tag.is_string()) tags.push_back(tag.get<std::string>());
    }
  }
  c.hashtags = hashtag::normalize_all(tags);
  if (const auto at = info.find("timestamp"); at != info.end() && at->is_number()) {
    const double seconds = at->get<double>();
    if (seconds > -1e12 && seconds < 1e12) c.created = static_cast<std::int64_t>(seconds);
  }
  if (!c.created) c.created = seconds_of_upload_date(text_or_empty(info, "upload_date"));
  c.site = text_or_empty(info, "extractor");
  c.site.erase(std::min(c.site.find(':'), c.site.size()));  // "vimeo:album"
  std::transform(c.site.begin(), c.site.end(), c.site.begin(), [](unsigned char x) { return std::tolower(x); });
  if (c.site == "generic") c.site.clear();  // its ids are not unique
  c.attributes = info_attributes(info);
}

Result<void> read_info_json(const fs::path& info, Candidate& c) {
  const auto text = read_file(info, kMaxInfoBytes);
  if (!text) return tl::unexpected(text.error());
  const auto parsed = parse_json(*text, info.string());
  if (!parsed) return tl::unexpected(parsed.error());
  if (!parsed->is_object()) return fail(Code::invalid_argument, info.string() + ": is no yt-dlp info file");
  take_info(*parsed, c);
  if (c.source_id.empty()) return fail(Code::invalid_argument, info.string() + ": has no \"id\"");
  return {};
}

std::vector<fs::path> drop_companions(std::vector<fs::directory_entry>& entries) {
  std::map<std::string, bool> has_video;  // by the name before .info.json
  for (const auto& entry : entries) {
    if (is_info_json(entry.path())) has_video.emplace(stem_of(entry.path()), false);
  }
  if (has_video.empty()) return {};
  for (const auto& entry : entries) {
    const auto at = has_video.find(entry.path().stem().string());
    if (at != has_video.end() && media::has_video_ending(entry.path())) at->second = true;
  }
  // name.jpg and name.en.vtt belong to name.
  const auto owned = [&](const std::string& name) {
    for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      if (has_video.contains(name.substr(0, dot))) return true;
    }
    return false;
  };
  std::vector<fs::path> companions;
  std::erase_if(entries, [&](const fs::directory_entry& entry) {
    const auto& path = entry.path();
    if (entry.is_directory() || media::has_video_ending(path)) return false;
    if (is_info_json(path)) return has_video.at(stem_of(path)) || is_playlist(path);
    if (!owned(path.filename().string())) return false;
    companions.push_back(path);
    return true;
  });
  return companions;
}

}  // namespace reeltag::collect
