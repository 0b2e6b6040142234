#include "mend_yaml.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace reeltag::model {
namespace {

// A line "KEY:" or "KEY: value"; what else a file holds (comments, list items, continued values) stays as it is.
struct KeyLine {
  std::size_t line = 0, indent = 0;
  bool has_value = false;
};

std::optional<KeyLine> key_line(std::string_view text, std::size_t line) {
  const std::size_t indent = text.find_first_not_of(' ');
  if (indent == std::string_view::npos) return std::nullopt;
  std::size_t end = indent;
  while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) ++end;
  const std::size_t colon = text.find_first_not_of(' ', end);
  if (end == indent || colon == std::string_view::npos || text[colon] != ':') return std::nullopt;
  const std::size_t value = text.find_first_not_of(" \r", colon + 1);
  if (value == colon + 1) return std::nullopt;  // "a:b" is a plain scalar
  return KeyLine{line, indent, value != std::string_view::npos && text[value] != '#'};
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// The indentations of the mappings that are open at some line, outermost first.
class OpenMappings {
 public:
  // The correct indentation of a key, given the previous key line (already placed) and the next one.
  [[nodiscard]] std::size_t place(const KeyLine& key, const KeyLine* before, const KeyLine* next) const {
    if (levels_.empty()) return key.indent;
    // Invalid: deeper than a key that already has a value.
    if (before != nullptr && before->has_value && key.indent > levels_.back()) return levels_.back();
    // Invalid: a key with a value followed by a deeper key. It interrupts a mapping that continues after it.
    if (key.has_value && next != nullptr && next->indent > key.indent && is_open(next->indent)) return next->indent;
    if (key.indent < levels_.back() && !is_open(key.indent))
      return *std::upper_bound(levels_.begin(), levels_.end(), key.indent);
    return key.indent;
  }
  void enter(std::size_t indent) {
    while (!levels_.empty() && levels_.back() > indent) levels_.pop_back();
    if (levels_.empty() || levels_.back() < indent) levels_.push_back(indent);
  }

 private:
  [[nodiscard]] bool is_open(std::size_t indent) const {
    return std::find(levels_.begin(), levels_.end(), indent) != levels_.end();
  }
  std::vector<std::size_t> levels_;
};

}  // namespace

MendedYaml mend_indentation(std::string_view text) {
  auto lines = split_lines(text);
  std::vector<KeyLine> keys;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (const auto key = key_line(lines[i], i)) keys.push_back(*key);
  }
  MendedYaml mended;
  OpenMappings open;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t indent =
        open.place(keys[i], i > 0 ? &keys[i - 1] : nullptr, i + 1 < keys.size() ? &keys[i + 1] : nullptr);
    if (indent != keys[i].indent) {
      std::string& line = lines[keys[i].line];
      line = std::string(indent, ' ') + line.substr(keys[i].indent);
      mended.lines.push_back(static_cast<int>(keys[i].line) + 1);
      keys[i].indent = indent;
    }
    open.enter(indent);
  }
  for (const auto& line : lines) mended.text += line + "\n";
  return mended;
}

}  // namespace reeltag::model
