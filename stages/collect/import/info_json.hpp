// yt-dlp's layout: name.mp4 and name.info.json side by side. One thread.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "import/manifest.hpp"

namespace reeltag::collect {

bool is_info_json(const std::filesystem::path& path);

// name.info.json for name.mp4, where it is there.
std::optional<std::filesystem::path> info_json_of(const std::filesystem::path& video);

// The video that an info file describes: the one file of its name with a video's ending. Empty where there is none.
std::filesystem::path video_of_info(const std::filesystem::path& info);

// Fills in what yt-dlp says of one video: id, author, caption, hashtags (of the caption, and tags where the site has
// them) behind those that are there, date, counts.
void take_info(const nlohmann::json& info, Candidate& candidate);

// Fills in what the info file says: id, author, caption, hashtags behind those that are there, date. Fails with
// invalid_argument for a file that says no such thing.
Result<void> read_info_json(const std::filesystem::path& info, Candidate& candidate);

// Files of one folder without those that belong to a video's info file: thumbnails, subtitles, the info file itself.
// An info file without a video stays; one of a playlist does not.
void drop_companions(std::vector<std::filesystem::directory_entry>& entries);

}  // namespace reeltag::collect
