// YAML as a plain value that remembers where each part stood. For configuration and recipes; yaml-cpp stays inside
// yaml.cpp (docs/adr/0010). Values: freely copied; const access from any thread.
// Failure: Exception(invalid_config) naming file and line; not_found and permission_denied for a file.
//
//   const yaml::Node root = yaml::load("recipe.yaml");
//   if (const yaml::Node* lr = root.find("lr")) use(lr->text, lr->line);
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeltag::yaml {

enum class Kind { null, scalar, list, map };

struct Node {
  Kind kind = Kind::null;
  std::string text = {};                                   // scalar: as written, without quotes
  std::vector<Node> items = {};                            // list
  std::vector<std::pair<std::string, Node>> entries = {};  // map, in the written order; no key twice
  std::string origin = {};                                 // file name, or "--set"
  int line = 0;                                            // 1-based; 0 where there are no lines

  // The entry with this key; nothing when there is none or this is no map. Lives as long as this node.
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  // "config.yaml:12", or only the origin where there is no line.
  [[nodiscard]] std::string place() const;
};

// A key that stands twice in one map: an error, or the last one holds (as PyYAML reads it).
enum class Repeats { refuse, last_wins };

// One document; origin names it in messages. An empty text is a null node. Anchors are resolved. At most 100,000 nodes
// and 64 levels, so that a small file with nested aliases cannot fill the memory.
Node parse(std::string_view text, const std::string& origin, Repeats repeats = Repeats::refuse);
// The same from a file of at most 4 MiB.
Node load(const std::filesystem::path& path);

// Lays `over` onto `under`: maps are merged key by key, anything else is replaced. A null in place of a map ("train:"
// with nothing below) changes nothing.
void merge(Node& under, const Node& over);

// Readings of a scalar's text, shared by everything that reads YAML. False when the text is something else or does not
// fit. Integers are decimal; a double may be written .inf, never nan; booleans are true, false, yes, no, on, off.
bool read(const std::string& text, bool& value);
bool read(const std::string& text, int& value);
bool read(const std::string& text, std::int64_t& value);
bool read(const std::string& text, double& value);

}  // namespace reeltag::yaml
