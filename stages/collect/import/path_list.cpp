#include "import/path_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "import/label_cell.hpp"
#include "import/text_input.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/hashtag.hpp"
#include "reeltag/media/file_types.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using ClassNames = std::map<std::int64_t, std::string>;

constexpr std::int64_t kMaxNamesBytes = 16LL << 20;

constexpr std::array<std::string_view, 8> kNamesFiles{"classnames.txt",  "class_names.txt", "classes.txt",
                                                      "labels.txt",      "categories.txt",  "classInd.txt",
                                                      "classnames.json", "class_names.json"};

std::optional<std::int64_t> label_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct Line {
  std::string path, label;
};

// Splits at the last separator behind a video's name: paths may contain spaces. A line may be a path alone.
std::optional<Line> split_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  if (media::has_video_ending(fs::path(line))) return Line{std::string(line), {}};
  for (const char separator : {'\t', ',', ' '}) {
    // The first one behind a video's name: a label may contain separators, too.
    for (auto at = line.find(separator); at != std::string_view::npos; at = line.find(separator, at + 1)) {
      auto path = line.substr(0, at), label = line.substr(at + 1);
      if (path.size() >= 2 && path.front() == '"' && path.back() == '"') path = path.substr(1, path.size() - 2);
      if (!media::has_video_ending(fs::path(path))) continue;
      label.remove_prefix(std::min(label.find_first_not_of(" \t,"), label.size()));
      return Line{std::string(path), std::string(label)};
    }
  }
  return std::nullopt;
}

ClassNames names_of_json(const nlohmann::json& json) {
  ClassNames names;
  if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (json[i].is_string()) names.emplace(static_cast<std::int64_t>(i), json[i].get<std::string>());
    }
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      if (value.is_number_integer()) names.emplace(value.get<std::int64_t>(), key);
      if (const auto number = label_number(key); number && value.is_string())
        names.emplace(*number, value.get<std::string>());
    }
  }
  return names;
}

// A name per line; or, if every line begins with a number, that number's name.
ClassNames names_of_text(std::istream& in) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
  }
  ClassNames numbered, counted;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    counted.emplace(static_cast<std::int64_t>(i), lines[i]);
    const auto space = lines[i].find_first_of(" \t,");
    const auto number = space == std::string::npos ? std::nullopt : label_number(lines[i].substr(0, space));
    if (number) numbered.emplace(*number, lines[i].substr(lines[i].find_first_not_of(" \t,", space)));
  }
  return numbered.size() == lines.size() ? numbered : counted;
}

ClassNames read_class_names(const fs::path& list, std::string& file) {
  for (const auto name : kNamesFiles) {
    const auto path = list.parent_path() / name;
    std::error_code error;
    if (!fs::is_regular_file(path, error)) continue;
    file = path.filename().string();
    if (path.extension() != ".json") return names_of_text(*open_text(path));
    const auto text = value_or_throw(read_file(path, kMaxNamesBytes));
    return names_of_json(value_or_throw(parse_json(text, path.string())));
  }
  return {};
}

// The names that the label's numbers stand for; the label itself where it is a name.
std::vector<std::string> labels_of(const std::string& label, const ClassNames& names) {
  const auto parts = split_labels(label, Spaces::belong);
  std::vector<std::string> out;
  for (const auto& part : parts) {
    const auto number = label_number(part);
    const auto name = number ? names.find(*number) : names.end();
    out.push_back(name == names.end() ? part : name->second);
  }
  return hashtag::normalize_all(out);
}

}  // namespace

bool is_path_line(std::string_view line) { return split_line(line).has_value(); }

bool is_class_names_file(const fs::path& file) {
  return std::find(kNamesFiles.begin(), kNamesFiles.end(), file.filename().string()) != kNamesFiles.end();
}

std::vector<Entry> read_path_list(const fs::path& list, const ListOptions& options, std::vector<std::string>& notes) {
  std::string names_file;
  const auto names = read_class_names(list, names_file);
  const auto source = split_of(list.stem().string()).value_or("");
  bool numbers = false;
  std::vector<Entry> entries;
  const auto in = open_text(list);
  std::int64_t number = 0;
  for (std::string text; std::getline(*in, text);) {
    const auto origin = list.string() + ":" + std::to_string(++number);
    if (text.empty() || text == "\r") continue;
    const auto line = split_line(text);
    if (!line) {
      entries.push_back({origin, fail(Code::invalid_argument, origin + ": want a video's path and its label")});
      continue;
    }
    auto file = inside(list.parent_path(), line->path, options.allowed);
    if (!file) {
      entries.push_back({line->path, fail(file.error().code, origin + ": " + file.error().message)});
      continue;
    }
    numbers = numbers || label_number(line->label).has_value();
    Candidate c;
    c.file = *file;
    c.hashtags = labels_of(line->label, names);
    c.source = source;
    entries.push_back({file->string(), std::move(c)});
  }
  const auto name = list.filename().string();
  if (numbers && names.empty()) {
    notes.push_back(
        name + ": its labels are numbers, and no class-name file (classnames.txt) is beside it: they stay numbers");
  } else if (numbers) {
    notes.push_back(name + ": class names from " + names_file);
  }
  return entries;
}

}  // namespace reeltag::collect
