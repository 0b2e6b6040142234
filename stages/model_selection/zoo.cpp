#include "reeltag/zoo.hpp"

#include <algorithm>
#include <cctype>

#include "reeltag/base/yaml.hpp"
#include "reeltag/http.hpp"
#include "reeltag/model/plan.hpp"

namespace reeltag::model_selection {
namespace {

namespace fs = std::filesystem;

// The whole file as one configuration: a section an entry.
struct Zoo {
  std::vector<ZooEntry> entries;
};
template <class V>
void visit(V& v, Zoo& zoo) {
  for (auto& entry : zoo.entries) v.section(entry.name, entry);
}

// It becomes the name of a folder, and of a file beside which others with an ending lie.
bool is_name(const std::string& text) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= 100 && text.front() != '-' && std::all_of(text.begin(), text.end(), plain);
}

// Files lie beside the zoo; shipped recipes go by name.
void check_entry(ZooEntry& e, const fs::path& file, const std::string& place) {
  const auto bad = [&](const std::string& what) {
    throw Exception(Code::invalid_config, place + ": " + e.name + what);
  };
  if (e.recipe.empty()) bad(" needs a recipe");
  if (!http::is_url(e.url)) bad(" needs the url of its file, http or https");
  if (const fs::path recipe = e.recipe; recipe.extension() == ".yaml" || recipe.extension() == ".yml")
    e.recipe = (file.parent_path() / recipe).string();
  if (!e.vocabulary.empty()) e.vocabulary = file.parent_path() / e.vocabulary;
  if (e.sha256.empty()) return;
  const auto digits = read_sha256(e.sha256);
  if (!digits) bad(": sha256 must be 64 hexadecimal digits, not '" + e.sha256 + "'");
  e.sha256 = *digits;
}

}  // namespace

fs::path shipped_zoo() { return model::recipes_folder() / "zoo.yml"; }

std::vector<ZooEntry> read_zoo(const fs::path& file) {
  const yaml::Node root = yaml::load(file);
  Zoo zoo;
  for (const auto& [name, node] : root.entries) {
    if (!is_name(name))
      throw Exception(Code::invalid_config,
                      node.place() + ": '" + name + "' is no name: want letters, digits, - and _");
    zoo.entries.push_back({.name = name});
  }
  if (zoo.entries.empty())
    throw Exception(Code::invalid_config, file.string() + " lists no weights: want NAME: {recipe: ..., url: ...}");
  config::Values values;
  values.add_file(file);
  config::resolve(values, zoo);
  for (auto& entry : zoo.entries) check_entry(entry, file, root.find(entry.name)->place());
  return zoo.entries;
}

const ZooEntry& find_entry(const std::vector<ZooEntry>& zoo, const std::string& name) {
  const auto found = std::find_if(zoo.begin(), zoo.end(), [&](const ZooEntry& e) { return e.name == name; });
  if (found != zoo.end()) return *found;
  std::vector<std::string> known;
  for (const auto& e : zoo) known.push_back(e.name);
  const auto near = config::nearest_name(name, known);
  throw Exception(Code::not_found, "no published weights are called '" + name + "'" +
                                       (near ? "; did you mean " + *near + "?" : "") +
                                       " (reeltag models fetch --list shows them)");
}

model::Recipe recipe_of(const ZooEntry& entry) {
  model::Recipe recipe = model::load_recipe(entry.recipe);
  if (entry.classes > 0) recipe.model.num_classes = entry.classes;
  return recipe;
}

std::optional<std::string> read_sha256(const std::string& text) {
  std::string out = text;
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (out.size() != 64 || out.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  return out;
}

fs::path model_folder(const fs::path& home, const ZooEntry& entry) { return home / "models" / entry.name; }
fs::path download_of(const fs::path& home, const ZooEntry& entry) { return home / "downloads" / entry.name; }

std::string_view state_of(const fs::path& home, const ZooEntry& entry) {
  if (fs::exists(model_folder(home, entry) / "bundle.json")) return "here";
  const fs::path download = download_of(home, entry);
  std::error_code none;
  const auto begun = fs::file_size(download.string() + ".part", none);
  return fs::exists(download) || (!none && begun > 0) ? "begun" : "absent";
}

}  // namespace reeltag::model_selection
