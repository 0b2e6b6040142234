// Reads yt-dlp's layout: name.mp4 and name.info.json side by side. Functions, any thread. Failure: Result; the rest
// does not fail.
//
//   if (const auto info = info_json_of(video)) read_info_json(*info, candidate);
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "import/manifest.hpp"

namespace reeltag::collect {

bool is_info_json(const std::filesystem::path& path);

// name.info.json for name.mp4, if it exists.
std::optional<std::filesystem::path> info_json_of(const std::filesystem::path& video);

// The video that an info file describes: the one file of its name with a video extension. Empty if there is none.
std::filesystem::path video_of_info(const std::filesystem::path& info);

// Fills in yt-dlp's fields of one video: id, author, caption, hashtags (from the caption, and tags if the site has
// them) after those already present, date, counts.
void take_info(const nlohmann::json& info, Candidate& candidate);

// Fills in the same from an info file. Fails with invalid_argument for a file that is not one.
Result<void> read_info_json(const std::filesystem::path& info, Candidate& candidate);

// Removes the files that belong to a video's info file: thumbnails, subtitles, the info file itself. Keeps an info file
// without a video; removes that of a playlist. Returns the thumbnails and subtitles.
std::vector<std::filesystem::path> drop_companions(std::vector<std::filesystem::directory_entry>& entries);

}  // namespace reeltag::collect
