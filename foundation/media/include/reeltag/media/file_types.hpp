// Recognizes files by their names: the endings of videos and pictures, and the files that systems leave in folders. The
// endings are those of file_types.json beside the sources, which the page reads too. Only the content decides whether a
// file is a video; an ending says what to look at in a folder. Functions; any thread; nothing fails.
//
//   if (media::has_video_ending(path)) videos.push_back(path);
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace reeltag::media {

// With the dot, in lower case.
std::span<const std::string_view> video_endings() noexcept;

// Case does not matter.
bool has_video_ending(const std::filesystem::path& file);
bool has_picture_ending(const std::filesystem::path& file);

// Whether a file or folder belongs to a system and not to its user: hidden ones such as ._clip.mp4 (AppleDouble) and
// .DS_Store, Thumbs.db, __MACOSX, @eaDir.
bool is_system_name(std::string_view name);

// The media type of a video or animated picture by its first bytes, for those who play it: "video/webm", "image/gif";
// application/octet-stream if they say nothing. QuickTime is video/mp4: browsers play it by that name only. Never a
// type that a browser would run.
inline constexpr std::size_t kMediaTypeBytes = 64;
std::string_view media_type_of(std::string_view first_bytes) noexcept;

}  // namespace reeltag::media
