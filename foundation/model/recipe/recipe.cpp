#include "reeltag/model/recipe.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "keys.hpp"
#include "mend_yaml.hpp"
#include "reeltag/base/config.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/yaml.hpp"

namespace reeltag::model {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxRecipe = 1 << 20;  // bytes

[[noreturn]] void bad_recipe(const std::string& message) { throw Exception(Code::invalid_config, message); }

// "; did you mean X?" or nothing.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  const auto near = config::nearest_name(name, candidates);
  return near ? "; did you mean " + *near + "?" : "";
}

// ---- JSON values to the types of the keys ------------------------------------------------------------------------

void read(const json& v, bool& out) { out = v.get<bool>(); }
void read(const json& v, std::string& out) { out = v.is_null() ? std::string() : v.get<std::string>(); }
void read(const json& v, double& out) {
  if (!v.is_number()) throw std::invalid_argument("want a number");
  out = v.get<double>();
}
template <class Int>
void read_integer(const json& v, Int& out) {
  if (!v.is_number() || v.get<double>() != std::floor(v.get<double>())) throw std::invalid_argument("want an integer");
  if (std::abs(v.get<double>()) > 2e9) throw std::invalid_argument("number out of range");
  out = static_cast<Int>(v.get<double>());
}
void read(const json& v, int& out) { read_integer(v, out); }
void read(const json& v, std::int64_t& out) { read_integer(v, out); }
void read(const json& v, Triple& out) {
  if (!v.is_array() || v.size() != 3) throw std::invalid_argument("want a list of three integers");
  for (std::size_t i = 0; i < 3; ++i) read(v[i], out[i]);
}
void read(const json& v, Factor& out) {
  if (!v.is_array() || v.size() != 2) throw std::invalid_argument("want entries [block, factor]");
  read(v[0], out.block);
  read(v[1], out.factor);
}
void read(const json& v, BlockStride& out) {
  if (!v.is_array() || v.size() != 4) throw std::invalid_argument("want entries [block, t, h, w]");
  read(v[0], out.block);
  for (std::size_t i = 0; i < 3; ++i) read(v[i + 1], out.stride[i]);
}
template <class T>
void read(const json& v, std::vector<T>& out) {
  if (!v.is_array()) throw std::invalid_argument("want a list");
  out.clear();
  for (const auto& item : v) {
    T value{};
    read(item, value);
    out.push_back(value);
  }
}
template <class T>
void read(const json& v, std::optional<T>& out) {
  if (v.is_null()) {
    out.reset();
  } else {
    T value{};
    read(v, value);
    out = value;
  }
}

json write(const Factor& f) { return json::array({f.block, f.factor}); }
json write(const BlockStride& s) { return json::array({s.block, s.stride[0], s.stride[1], s.stride[2]}); }
template <class T>
json write(const T& v) {
  return v;
}
template <class T>
json write(const std::vector<T>& list) {
  json out = json::array();
  for (const auto& item : list) out.push_back(write(item));
  return out;
}
template <class T>
json write(const std::optional<T>& v) {
  return v ? write(*v) : json();
}

// ---- visitors ----------------------------------------------------------------------------------------------------

struct Names {
  std::vector<std::string> names;
  template <class T>
  void operator()(const char* key, T&) {
    names.emplace_back(key);
  }
};

struct Assign {
  std::string_view key;
  const json& value;
  bool found = false;
  template <class T>
  void operator()(const char* name, T& field) {
    if (key != name) return;
    found = true;
    T parsed = field;
    read(value, parsed);
    field = parsed;
  }
};

struct Dump {
  std::vector<std::pair<std::string, json>> entries;
  template <class T>
  void operator()(const char* key, T& field) {
    entries.emplace_back(key, write(field));
  }
};

const std::vector<std::string>& known_names() {
  static const std::vector<std::string> names = [] {
    Recipe recipe;
    Names v;
    visit(v, recipe);
    return v.names;
  }();
  return names;
}

bool is_ignored(std::string_view key) {
  return std::any_of(std::begin(kIgnoredKeys), std::end(kIgnoredKeys), [&](std::string_view ignored) {
    return ignored.ends_with(".*") ? key.starts_with(ignored.substr(0, ignored.size() - 1)) : key == ignored;
  });
}

bool is_known_section(std::string_view section) {
  const std::string prefix = std::string(section) + ".";
  const auto matches = [&](std::string_view key) { return key.starts_with(prefix); };
  return std::any_of(known_names().begin(), known_names().end(), matches) ||
         std::any_of(std::begin(kIgnoredKeys), std::end(kIgnoredKeys), matches);
}

// ---- YAML to JSON with Python's literals ---------------------------------------------------------------------------

// PyYAML leaves "1e-6" and "(3, 7, 7)" as strings; the reference then evaluates strings as Python literals.
json python_literal(const std::string& text) {
  if (text == "None" || text == "null" || text == "~" || text.empty()) return {};
  if (text == "True" || text == "true") return true;
  if (text == "False" || text == "false") return false;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() + text.size() && std::isfinite(number)) {
    if (number == std::floor(number) && std::abs(number) < 1e15 && text.find_first_of(".eE") == std::string::npos) {
      return static_cast<std::int64_t>(number);
    }
    return number;
  }
  if (text.front() == '(' || text.front() == '[') {
    std::string list = text;
    std::replace(list.begin(), list.end(), '(', '[');
    std::replace(list.begin(), list.end(), ')', ']');
    std::replace(list.begin(), list.end(), '\'', '"');
    if (auto comma = list.rfind(",]"); comma != std::string::npos) list.erase(comma, 1);
    auto parsed = json::parse(list, nullptr, false);
    if (!parsed.is_discarded()) return parsed;
  }
  return text;
}

json to_json(const yaml::Node& node) {
  if (node.kind == yaml::Kind::scalar) return python_literal(node.text);
  if (node.kind != yaml::Kind::list) return {};
  json out = json::array();
  for (const auto& item : node.items) out.push_back(to_json(item));
  return out;
}

struct Reader {
  Recipe& recipe;

  // Assigns a scalar as its Python literal if the key accepts that, else as its text.
  void assign(const std::string& key, const yaml::Node& node) const {
    const json value = to_json(node);
    std::string why;
    for (const json& candidate : {value, json(node.text)}) {
      Assign v{key, candidate};
      try {
        visit(v, recipe);
        if (v.found) return;
        break;
      } catch (const std::exception& e) {
        if (why.empty()) why = e.what();
        if (node.kind != yaml::Kind::scalar) break;
      }
    }
    if (!why.empty()) bad_recipe(node.place() + ": " + key + " cannot be " + dump_json(value) + ": " + why);
    if (!is_ignored(key)) bad_recipe(node.place() + ": unknown key " + key + nearest(key, known_names()));
  }

  void mapping(const std::string& prefix, const yaml::Node& map) const {
    for (const auto& [name, node] : map.entries) {
      const std::string key = prefix.empty() ? name : prefix + "." + name;
      if (node.kind != yaml::Kind::map) {
        assign(key, node);
      } else if (prefix.empty() && !is_known_section(name)) {
        recipe.warnings.push_back(node.place() + ": section " + name + " is unknown and was ignored");
      } else {
        mapping(key, node);
      }
    }
  }
};

yaml::Node parse_or_mend(std::string_view text, const std::string& origin, std::vector<std::string>& warnings) {
  try {
    return yaml::parse(text, origin, yaml::Repeats::last_wins);
  } catch (const Exception&) {
    const auto mended = mend_indentation(text);
    if (mended.lines.empty()) throw;
    auto root = yaml::parse(mended.text, origin, yaml::Repeats::last_wins);
    for (const int line : mended.lines) {
      warnings.push_back(origin + ":" + std::to_string(line) +
                         ": wrong indentation; the key was read as one of the section around it");
    }
    return root;
  }
}

// Fixes contradictions in the reference's own files whose intent is unambiguous.
void accept_oddities(Recipe& recipe, const std::string& origin) {
  if (recipe.mvit.rev_enable && recipe.mvit.cls_embed_on) {
    recipe.mvit.cls_embed_on = false;
    recipe.warnings.push_back(origin + ": a reversible net has no class token; MVIT.CLS_EMBED_ON was read as False");
  }
  if (recipe.model.model_name == "PTVMViT") {
    recipe.model.model_name = "MViT";
    recipe.warnings.push_back(origin + ": MODEL.MODEL_NAME PTVMViT (PyTorchVideo's builder) was read as MViT");
  }
}

std::string emit_value(const json& value) {
  if (value.is_null()) return "None";
  if (value.is_string()) return value.get<std::string>().empty() ? "\"\"" : value.get<std::string>();
  return dump_json(value);
}

}  // namespace

Recipe parse_recipe(std::string_view text, const std::string& origin) {
  Recipe recipe;
  const yaml::Node root = parse_or_mend(text, origin, recipe.warnings);
  if (root.kind == yaml::Kind::null) return recipe;
  if (root.kind != yaml::Kind::map) bad_recipe(origin + ": want a mapping of sections, e.g. MVIT:");
  Reader{recipe}.mapping("", root);
  accept_oddities(recipe, origin);
  return recipe;
}

std::filesystem::path recipes_folder() {
  if (const char* folder = std::getenv("REELTAG_CONFIGS")) return folder;
  return REELTAG_CONFIGS_DIR;
}

std::vector<std::string> shipped_recipes() {
  std::vector<std::string> names;
  const auto folder = recipes_folder();
  if (!std::filesystem::is_directory(folder)) return names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    names.push_back(std::filesystem::relative(entry.path(), folder).replace_extension().generic_string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Recipe load_recipe(const std::string& name_or_file) {
  std::filesystem::path path = name_or_file;
  if (path.extension() != ".yaml" && path.extension() != ".yml") {
    path.clear();
    std::vector<std::string> candidates;
    // Of recipes with one name, the first of these folders wins: "MVITv2_S_16x4" is the Kinetics one.
    const std::vector<std::string> order{"Kinetics", "ImageNet", "SSv2"};
    std::size_t best = order.size() + 1;
    for (const auto& name : shipped_recipes()) {
      const std::filesystem::path parts(name);
      candidates.insert(candidates.end(), {name, parts.filename().string()});
      if (name != name_or_file && parts.filename() != name_or_file) continue;
      const auto rank =
          static_cast<std::size_t>(std::find(order.begin(), order.end(), parts.parent_path().string()) - order.begin());
      if (name == name_or_file || rank < best) path = recipes_folder() / (name + ".yaml");
      best = name == name_or_file ? 0 : std::min(best, rank);
    }
    if (path.empty()) {
      throw Exception(Code::not_found, "no shipped recipe is called '" + name_or_file + "'" +
                                           nearest(name_or_file, candidates) + "; a file must end in .yaml");
    }
  }
  return parse_recipe(value_or_throw(read_file(path, kMaxRecipe)), path.string());
}

void set(Recipe& recipe, std::string_view key, const json& value) {
  Assign v{key, value};
  try {
    visit(v, recipe);
  } catch (const std::exception& e) {
    bad_recipe("recipe key " + std::string(key) + " cannot be " + dump_json(value) + ": " + e.what());
  }
  if (!v.found && !is_ignored(key)) {
    bad_recipe("unknown recipe key " + std::string(key) + nearest(key, known_names()));
  }
}

std::string to_yaml(const Recipe& recipe) {
  Dump dump;
  Recipe copy = recipe;
  visit(dump, copy);
  std::vector<std::string> order;
  std::map<std::string, std::string> sections;  // "" holds the top level
  std::set<std::string> opened;
  for (const auto& [key, value] : dump.entries) {
    const auto dot = key.find('.');
    const std::string section = dot == std::string::npos ? "" : key.substr(0, dot);
    if (sections.find(section) == sections.end()) order.push_back(section);
    std::string& text = sections[section];
    std::string name = dot == std::string::npos ? key : key.substr(dot + 1);
    std::string indent = section.empty() ? "" : "  ";
    if (const auto inner = name.find('.'); inner != std::string::npos) {
      if (opened.insert(section + "." + name.substr(0, inner)).second) text += indent + name.substr(0, inner) + ":\n";
      indent += "  ";
      name = name.substr(inner + 1);
    }
    text += indent + name + ": " + emit_value(value) + "\n";
  }
  std::string out;
  for (const auto& section : order) out += (section.empty() ? "" : section + ":\n") + sections[section];
  return out;
}

}  // namespace reeltag::model
