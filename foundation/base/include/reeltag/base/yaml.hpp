// YAML as plain values that record the file and line of each node. For configuration and recipes; yaml-cpp is used only
// in yaml.cpp (docs/adr/0010). Nodes own their content and may be copied; const access from any thread.
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
  std::vector<std::pair<std::string, Node>> entries = {};  // map, in the order of the file; keys are unique
  std::string origin = {};                                 // file name, or "--set"
  int line = 0;                                            // 1-based; 0 if the origin has no lines

  // The value under this key; nullptr if there is none or this is not a map. Valid as long as this node.
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  // "config.yaml:12", or only the origin if there is no line.
  [[nodiscard]] std::string place() const;
};

// A key that occurs twice in one map: an error, or the last one wins (as in PyYAML).
enum class Repeats { refuse, last_wins };

// Parses one document; origin names it in messages. An empty text is a null node. Anchors are resolved. At most 100,000
// nodes and 64 levels, so that a small file with nested aliases cannot exhaust memory.
Node parse(std::string_view text, const std::string& origin, Repeats repeats = Repeats::refuse);
// Parses a file of at most 4 MiB.
Node load(const std::filesystem::path& path);

// Merges `over` into `under`: maps key by key, anything else is replaced. A null in place of a map ("train:" with
// nothing below) changes nothing.
void merge(Node& under, const Node& over);

// Convert a scalar's text, for all code that reads YAML. False if the text has another form or does not fit. Integers
// are decimal; a double may be written .inf, never nan; booleans are true, false, yes, no, on, off.
bool read(const std::string& text, bool& value);
bool read(const std::string& text, int& value);
bool read(const std::string& text, std::int64_t& value);
bool read(const std::string& text, double& value);

}  // namespace reeltag::yaml
