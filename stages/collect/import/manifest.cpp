#include "import/manifest.hpp"

#include <unicode/utf8.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <tuple>
#include <utility>

#include "import/columns.hpp"
#include "import/csv.hpp"
#include "import/dates.hpp"
#include "import/label_cell.hpp"
#include "import/path_list.hpp"
#include "import/text_input.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/hashtag.hpp"

namespace reeltag::collect {
namespace {

using nlohmann::json;

tl::unexpected<Error> bad(const std::string& origin, const std::string& what) {
  return fail(Code::invalid_argument, origin + ": " + what);
}

// Whether the catalog can hold it: UTF-8 without NUL.
bool storable(std::string_view text) {
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT(text.data(), i, length, c);
    if (c <= 0) return false;
  }
  return true;
}

// Text, or a whole number as text (ids are often numbers); empty where the column is missing or null.
Result<std::string> text_of(const Row& row, Field field, const char* name, const std::string& origin) {
  const json* value = row.find(field);
  if (value == nullptr || value->is_null()) return std::string();
  if (value->is_string() && !storable(value->get_ref<const std::string&>())) {
    return bad(origin, std::string("\"") + name + "\" is not UTF-8 text");
  }
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number_integer()) return value->dump();
  return bad(origin, std::string("\"") + name + "\" must be a text");
}

// A date that cannot be read costs the date, not the video.
void read_date(const Row& row, Candidate& c) {
  const json* value = row.find(Field::created);
  if (value == nullptr || value->is_null() || (value->is_string() && value->get_ref<const std::string&>().empty()))
    return;
  if (value->is_number()) c.created = seconds_of_number(value->get<double>());
  if (value->is_string()) c.created = seconds_of_date(value->get_ref<const std::string&>());
  if (!c.created) c.unread_date = value->is_string() ? value->get<std::string>() : dump_json(*value);
}

// A list of texts, or one text with a list in it.
Result<std::vector<std::string>> row_hashtags(const Row& row, const std::string& origin) {
  const json* hashtags = row.find(Field::hashtags);
  const json* value = hashtags != nullptr ? hashtags : row.find(Field::labels);
  if (value == nullptr || value->is_null()) return std::vector<std::string>();
  const auto spaces = hashtags != nullptr ? Spaces::separate : Spaces::belong;
  if (value->is_string()) return hashtag::normalize_all(split_labels(value->get_ref<const std::string&>(), spaces));
  if (value->is_number_integer()) return hashtag::normalize_all(std::vector{value->dump()});
  if (!value->is_array()) return bad(origin, "\"hashtags\" must be a list of texts");
  std::vector<std::string> typed;
  for (const auto& one : *value) {
    if (!one.is_string()) return bad(origin, "\"hashtags\" must be a list of texts");
    for (auto& label : split_labels(one.get_ref<const std::string&>(), Spaces::belong))
      typed.push_back(std::move(label));
  }
  return hashtag::normalize_all(typed);
}

Result<Candidate> candidate_of(const Row& row, const std::string& origin, std::filesystem::path file) {
  Candidate c;
  c.file = std::move(file);
  std::string split;
  for (const auto& [field, name, text] : {std::tuple{Field::id, "id", &c.source_id},
                                          {Field::group, "group", &c.group},
                                          {Field::caption, "caption", &c.caption},
                                          {Field::author, "author", &c.author},
                                          {Field::site, "site", &c.site},
                                          {Field::split, "split", &split}}) {
    auto read = text_of(row, field, name, origin);
    if (!read) return tl::unexpected(read.error());
    *text = std::move(*read);
  }
  c.source = split_of(split).value_or(split);
  auto hashtags = row_hashtags(row, origin);
  if (!hashtags) return tl::unexpected(hashtags.error());
  c.hashtags = std::move(*hashtags);
  read_date(row, c);
  c.attributes = dump_json(row.others());
  if (c.file.empty()) {
    const bool lists = row.find(Field::hashtags) != nullptr || row.find(Field::labels) != nullptr;
    if (c.source_id.empty() || (!lists && row.find(Field::caption) == nullptr)) {
      return bad(origin,
                 "there is no \"file\"; a post without a video has an \"id\" and a \"caption\" or \"hashtags\"");
    }
    if (!lists) c.hashtags = hashtag::find_in_caption(c.caption);
  }
  return c;
}

// Whether a row declares that its file may be missing: true, or an equivalent text in CSV.
bool may_be_missing(const Row& row) {
  const json* value = row.find(Field::missing);
  if (value == nullptr) return false;
  return value->is_boolean() ? value->get<bool>() : *value == "true" || *value == "yes" || *value == "1";
}

void read_jsonl(const std::filesystem::path& manifest, const ListOptions& options, ImportList& list) {
  const auto read = each_json_line(manifest, [&](std::int64_t line, Result<json>&& row) {
    const auto origin = manifest.string() + ":" + std::to_string(line);
    if (row)
      list.entries.push_back(entry_of_row(*row, manifest.parent_path(), origin, options));
    else
      list.entries.push_back({origin, tl::unexpected(row.error())});
  });
  if (!read) throw Exception(read.error());
}

using Columns = std::vector<std::string>;

bool has_field(const Columns& columns, Field field) {
  return std::any_of(columns.begin(), columns.end(), [&](const auto& name) { return field_of(name) == field; });
}

// Whether rows of these columns name a file, or describe a post without one.
bool names_items(const Columns& columns) {
  const bool describes =
      has_field(columns, Field::caption) || has_field(columns, Field::hashtags) || has_field(columns, Field::labels);
  return has_field(columns, Field::file) || (has_field(columns, Field::id) && describes);
}

// The separator with which most columns of the first line are known, and the line's columns.
std::pair<char, Columns> columns_of(const std::string& first_line) {
  std::pair<char, Columns> best{',', {}};
  std::ptrdiff_t best_known = -1;
  for (const char separator : {',', ';', '\t', '|'}) {
    std::istringstream line(first_line);
    auto columns = CsvReader(line, "", separator).next();
    if (!columns || !*columns) continue;
    const auto known = std::count_if((**columns).begin(), (**columns).end(), [](const auto& c) { return field_of(c); });
    if (known > best_known) best = {separator, std::move(**columns)}, best_known = known;
  }
  return best;
}

std::string joined(const Columns& columns) {
  std::string out;
  for (const auto& column : columns) out += (out.empty() ? "" : ", ") + column;
  return out;
}

void read_table(const std::filesystem::path& manifest, char separator, const ListOptions& options, ImportList& list) {
  const auto in = open_text(manifest);
  CsvReader csv(*in, manifest.string(), separator);
  const auto head = csv.next();
  while (const auto record = csv.next()) {
    const auto origin = manifest.string() + ":" + std::to_string(csv.line());
    if (!*record) {
      list.entries.push_back({origin, tl::unexpected(record->error())});
    } else if ((*record)->size() != (*head)->size()) {
      list.entries.push_back(
          {origin, bad(origin, std::to_string((*record)->size()) + " fields where the first line has " +
                                   std::to_string((*head)->size()))});
    } else {
      json row = json::object();
      for (std::size_t i = 0; i < (*head)->size(); ++i) row[(**head)[i]] = (**record)[i];
      list.entries.push_back(entry_of_row(row, manifest.parent_path(), origin, options));
    }
  }
}

// The first line that is not empty.
std::string first_line_of(const std::filesystem::path& manifest) {
  const auto in = open_text(manifest);
  std::string line;
  while (std::getline(*in, line) && (line.empty() || line == "\r")) continue;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

// Reads a table or a list of paths; returns its columns.
Columns read_text(const std::filesystem::path& manifest, const ListOptions& options, ImportList& list) {
  const auto first = first_line_of(manifest);
  if (first.empty()) return {};
  auto [separator, columns] = columns_of(first);
  if (names_items(columns)) {
    read_table(manifest, separator, options, list);
  } else if (is_path_line(first)) {
    list.entries = read_path_list(manifest, options, list.notes);
  } else {
    throw Exception(
        Code::invalid_argument,
        manifest.string() +
            ": the first line must name the columns, one of them `file`, or, for posts "
            "without a video, `id` and `caption` or `hashtags`; or each line must be a video's path and its "
            "label. It has: " +
            joined(columns));
  }
  return columns;
}

// Says what a reader of the result would not expect.
void add_notes(const std::filesystem::path& manifest, const Columns& columns, ImportList& list) {
  const auto name = manifest.filename().string();
  std::int64_t read = 0, dates = 0;
  bool labelled = false;
  std::string first_date;
  for (const auto& entry : list.entries) {
    if (!entry.candidate) continue;
    ++read;
    labelled = labelled || !entry.candidate->hashtags.empty();
    if (entry.candidate->unread_date.empty()) continue;
    if (dates++ == 0) first_date = entry.candidate->unread_date;
  }
  if (dates > 0) {
    list.notes.push_back(name + ": " + std::to_string(dates) +
                         " dates could not be read and are left out, the first: '" + first_date + "'");
  }
  if (read > 0 && !labelled) {
    list.notes.push_back(name + ": no row has a hashtag" +
                         (columns.empty() ? std::string() : "; its columns are " + joined(columns)) +
                         ". Hashtags are read from hashtags, tags, label, class or category");
  }
}

std::string lower_ending(const std::filesystem::path& file) {
  auto ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending;
}

bool is_json_lines(const std::filesystem::path& file) {
  const auto ending = lower_ending(file);
  return ending == ".jsonl" || ending == ".ndjson";
}

}  // namespace

bool is_manifest(const std::filesystem::path& file) {
  const auto ending = lower_ending(file);
  return is_json_lines(file) || ending == ".csv" || ending == ".tsv" || ending == ".txt" || ending == ".list";
}

std::optional<std::string> split_of(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> splits{
      {"train", "train"},    {"training", "train"}, {"val", "val"},     {"valid", "val"},
      {"validation", "val"}, {"test", "test"},      {"testing", "test"}};
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto found = splits.find(lower);
  return found == splits.end() ? std::nullopt : std::optional(found->second);
}

Result<std::filesystem::path> inside(const std::filesystem::path& base, const std::string& file,
                                     const std::vector<std::filesystem::path>& allowed) {
  std::error_code error;
  const auto root = std::filesystem::canonical(base.empty() ? "." : base, error);
  if (error) return fail(Code::not_found, base.string() + ": " + error.message());
  const auto is_below = [](const std::filesystem::path& target, const std::filesystem::path& folder) {
    const auto relative = target.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
  };
  const auto untrusted =
      fail(Code::permission_denied,
           file + " leads out of the folder of its manifest; --allow-paths DIR allows another folder");
  const std::filesystem::path path(file);
  if (file.empty() || file.find('\0') != std::string::npos) return untrusted;
  const auto named = path.is_absolute() ? path : root / path;
  if (!path.is_absolute() && allowed.empty() && !is_below(named.lexically_normal(), root)) return untrusted;
  const auto target = std::filesystem::weakly_canonical(named, error);
  if (error) return fail(Code::not_found, (base / path).string() + ": " + error.message());
  if (is_below(target, root)) return path.is_absolute() ? target : base / path;
  for (const auto& folder : allowed) {
    const auto other = std::filesystem::canonical(folder, error);
    if (!error && is_below(target, other)) return target;
  }
  return untrusted;
}

Entry entry_of_row(const json& object, const std::filesystem::path& base, const std::string& origin,
                   const ListOptions& options) {
  if (!object.is_object()) return {origin, bad(origin, "a line must be a JSON object")};
  const Row row(object);
  const auto name = text_of(row, Field::file, "file", origin);
  if (!name) return {origin, tl::unexpected(name.error())};
  if (name->empty()) return {origin, candidate_of(row, origin, {})};
  auto file = inside(base, *name, options.allowed);
  if (!file) return {*name, fail(file.error().code, origin + ": " + file.error().message)};
  std::error_code error;
  if (may_be_missing(row) && !std::filesystem::exists(*file, error)) return {origin, candidate_of(row, origin, {})};
  const auto path = file->string();
  return {path, candidate_of(row, origin, std::move(*file))};
}

ImportList read_manifest(const std::filesystem::path& manifest, const ListOptions& options) {
  ImportList list;
  Columns columns;
  if (is_json_lines(manifest)) {
    read_jsonl(manifest, options, list);
  } else {
    columns = read_text(manifest, options, list);
  }
  if (list.entries.empty()) throw Exception(Code::not_found, manifest.string() + " has no rows: nothing to import");
  add_notes(manifest, columns, list);
  return list;
}

}  // namespace reeltag::collect
