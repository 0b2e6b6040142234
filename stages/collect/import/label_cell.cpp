#include "import/label_cell.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace reeltag::collect {
namespace {

constexpr std::string_view kSeparators = ",;|\t\n\r";
constexpr std::string_view kBrackets = "[]{}\"";  // also quotes: a list as JSON or Python writes it
constexpr std::string_view kSpaces = " \t\n\r";

std::string_view trimmed(std::string_view text, std::string_view characters) {
  const auto begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(characters) - begin + 1);
}

// Quotes around a name, of JSON, Python or a pasted text; an apostrophe within a name stays.
std::string_view unquoted(std::string_view text) {
  text = trimmed(text, kSpaces);
  if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'') text = text.substr(1, text.size() - 2);
  return trimmed(text, kSpaces);
}

// Commas and semicolons of other scripts, and the full-width '#', as the ASCII ones.
std::string with_ascii_separators(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 7> kOthers{{{"\uFF0C", ','},
                                                                             {"\u3001", ','},
                                                                             {"\u060C", ','},
                                                                             {"\uFF1B", ';'},
                                                                             {"\u061B", ';'},
                                                                             {"\uFF5C", '|'},
                                                                             {"\uFF03", '#'}}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto other = std::find_if(kOthers.begin(), kOthers.end(),
                                    [&](const auto& o) { return text.substr(i).starts_with(o.first); });
    out += other == kOthers.end() ? text[i] : other->second;
    i += other == kOthers.end() ? 1 : other->first.size();
  }
  return out;
}

bool separates(char c, bool at_hash, bool at_space) {
  if (kSeparators.find(c) != std::string_view::npos || kBrackets.find(c) != std::string_view::npos) return true;
  return (at_hash && c == '#') || (at_space && c == ' ');
}

// '#' at the start of a word begins a hashtag; "c#" has none.
bool has_hash_sign(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const bool starts = i == 0 || separates(text[i - 1], true, true) || text[i - 1] == '\'';
    if (text[i] == '#' && starts) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> split_labels(std::string_view cell, Spaces spaces) {
  const auto plain = with_ascii_separators(cell);
  const auto text = trimmed(plain, kSpaces);
  const bool at_hash = has_hash_sign(text);
  const bool separated = std::any_of(text.begin(), text.end(), [](char c) { return separates(c, false, false); });
  const bool at_space = spaces == Spaces::separate && !separated;
  std::vector<std::string> labels;
  for (std::size_t at = 0; at < text.size();) {
    auto end = at;
    while (end < text.size() && !separates(text[end], at_hash, at_space)) ++end;
    if (const auto label = unquoted(text.substr(at, end - at)); !label.empty()) labels.emplace_back(label);
    at = end + 1;
  }
  return labels;
}

}  // namespace reeltag::collect
