#include "reeltag/media/file_types.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "file_types_list.hpp"

namespace reeltag::media {
namespace {

bool ends_as_one_of(const std::filesystem::path& file, std::span<const std::string_view> endings) {
  auto ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

}  // namespace

std::span<const std::string_view> video_endings() noexcept { return kVideoEndings; }

bool has_video_ending(const std::filesystem::path& file) { return ends_as_one_of(file, kVideoEndings); }

bool has_picture_ending(const std::filesystem::path& file) { return ends_as_one_of(file, kPictureEndings); }

bool is_system_name(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kNames{
      "Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "$RECYCLE.BIN", "lost+found", "System Volume Information"};
  return name.starts_with('.') || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

}  // namespace reeltag::media
