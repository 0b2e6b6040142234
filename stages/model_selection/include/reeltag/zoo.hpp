// Lists the published weights that `models fetch` can download: configs/zoo.yml, or a file of the same form for one's
// own weights (docs/adr/0071). Values; any thread. Throws Exception: invalid_config for an invalid file, naming the
// line; not_found for an unknown name, naming the nearest.
//
//   const auto zoo = read_zoo(shipped_zoo());
//   const model::Recipe recipe = recipe_of(find_entry(zoo, "mvitv2-s-16x4-k400"));
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::model_selection {

struct ZooEntry {
  std::string name = {};        // of the model it becomes: letters, digits, - and _
  std::string recipe = {};      // a shipped recipe or a file
  std::string trained_on = {};  // for people
  std::string url = {};
  std::string sha256 = {};                // empty where nobody says it
  std::filesystem::path vocabulary = {};  // empty: the classes have no names
  int classes = 0;                        // instead of the recipe's; 0: the recipe's
  double top1 = 0.0;                      // percent, as its authors claim; 0: no claim
  std::string views = {};                 // crops x clips of that figure
};
template <class V>
void visit(V& v, ZooEntry& e) {
  v("recipe", e.recipe, "A shipped recipe, or a .yaml file beside this one");
  v("trained_on", e.trained_on, "The data, for people");
  v("url", e.url, "Where the file is published");
  v("sha256", e.sha256, "Of the file");
  v("vocabulary", e.vocabulary, "Class names in the order of the classes, a file beside this one");
  v("classes", e.classes, "Where not as many as the recipe says", config::Range{0, 1e6});
  v("top1", e.top1, "What its authors claim, in percent", config::Range{0, 100});
  v("views", e.views, "Crops x clips of that figure");
}

std::filesystem::path shipped_zoo();
std::vector<ZooEntry> read_zoo(const std::filesystem::path& file);
const ZooEntry& find_entry(const std::vector<ZooEntry>& zoo, const std::string& name);
model::Recipe recipe_of(const ZooEntry& entry);

// 64 hexadecimal digits in lower case; nothing where the text is something else.
std::optional<std::string> read_sha256(const std::string& text);

// The paths of the entry's model and of its download, whether or not they exist.
std::filesystem::path model_folder(const std::filesystem::path& home, const ZooEntry& entry);
std::filesystem::path download_of(const std::filesystem::path& home, const ZooEntry& entry);
// "here", "begun" (a part is downloaded) or "absent".
std::string_view state_of(const std::filesystem::path& home, const ZooEntry& entry);

}  // namespace reeltag::model_selection
