#include "commands/videos.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

// Endings that are looked for in folders; a file named on the command line may end as it likes.
const std::set<std::string> kVideoEndings{".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".gif"};

}  // namespace

std::vector<std::string> videos_of(Context& context, const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& name : names) {
    if (name == "-" || http::is_url(name) || !fs::is_directory(name)) {
      out.emplace_back(name);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : fs::recursive_directory_iterator(name, fs::directory_options::skip_permission_denied)) {
      std::string ending = entry.path().extension().string();
      std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
      if (entry.is_regular_file() && kVideoEndings.count(ending) > 0) inside.push_back(entry.path().string());
    }
    if (inside.empty()) context.item_failed(name, {Code::not_found, "the folder holds no video"});
    std::sort(inside.begin(), inside.end());
    out.insert(out.end(), inside.begin(), inside.end());
  }
  return out;
}

}  // namespace reeltag::app
