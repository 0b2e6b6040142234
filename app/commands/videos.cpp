#include "commands/videos.hpp"

#include <algorithm>
#include <filesystem>

#include "reeltag/base/log.hpp"
#include "reeltag/media/file_types.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

// Whether a file of another ending is a video by its content. A file that cannot be opened stays, to be reported.
bool is_video(const fs::path& file, const media::Limits& limits) {
  if (media::has_video_ending(file)) return true;
  const auto opened = media::Decoder::open(file, limits);
  return opened || opened.error().code != Code::not_a_video;
}

std::vector<std::string> videos_below(const fs::path& folder, const media::Limits& limits,
                                      std::vector<std::string>& passed_over) {
  std::vector<fs::path> files;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied);
  for (; it != fs::recursive_directory_iterator(); ++it) {
    if (media::is_system_name(it->path().filename().string())) {
      if (it->is_directory()) it.disable_recursion_pending();
    } else if (it->is_regular_file()) {
      files.push_back(it->path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> videos;
  for (const auto& file : files) (is_video(file, limits) ? videos : passed_over).push_back(file.string());
  return videos;
}

}  // namespace

std::vector<std::string> videos_of(Context& context, const std::vector<std::string>& names) {
  std::vector<std::string> videos, passed_over;
  for (const auto& name : names) {
    if (name == "-" || http::is_url(name) || !fs::is_directory(name)) {
      videos.emplace_back(name);
      continue;
    }
    const auto below = videos_below(name, context.config().media, passed_over);
    if (below.empty()) context.item_failed(name, {Code::not_found, "the folder holds no video"});
    videos.insert(videos.end(), below.begin(), below.end());
  }
  report_passed_over(passed_over);
  return videos;
}

void report_passed_over(const std::vector<std::string>& files) {
  if (files.empty()) return;
  constexpr std::size_t kShown = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(files.size(), kShown); ++i) {
    names += (i == 0 ? "" : ", ") + fs::path(files[i]).filename().string();
  }
  if (files.size() > kShown) names += " and " + std::to_string(files.size() - kShown) + " more";
  log::info("passed_over", {{"files", static_cast<std::int64_t>(files.size())}, {"message", names}});
}

}  // namespace reeltag::app
