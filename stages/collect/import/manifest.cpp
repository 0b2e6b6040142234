#include "import/manifest.hpp"

#include <unicode/utf8.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <system_error>

#include "import/csv.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/collect.hpp"
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

// Text, or a whole number as text (ids are often numbers); empty where the key is missing or null.
Result<std::string> text_of(const json& row, const char* key, const std::string& origin) {
  const auto at = row.find(key);
  if (at == row.end() || at->is_null()) return std::string();
  if (at->is_string() && !storable(at->get_ref<const std::string&>())) {
    return bad(origin, std::string("\"") + key + "\" is not UTF-8 text");
  }
  if (at->is_string()) return at->get<std::string>();
  if (at->is_number_integer()) return at->dump();
  return bad(origin, std::string("\"") + key + "\" must be a text");
}

// From "2025-05-19 15:45:53" or "2025-05-19T15:45:53Z", both UTC, or the day alone.
std::optional<std::int64_t> seconds_of_date(const std::string& text) {
  int year = 0, used = 0, hour = 0, minute = 0, second = 0;
  unsigned month = 0, day = 0;
  char between = 0;
  const int read = std::sscanf(text.c_str(), "%4d-%2u-%2u%n%c%2d:%2d:%2d%n", &year, &month, &day, &used, &between,
                               &hour, &minute, &second, &used);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  const bool timed = read == 7 && (between == ' ' || between == 'T');
  const auto rest = text.substr(std::min(text.size(), static_cast<std::size_t>(used)));
  const bool in_range = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60;
  if ((read != 3 && !timed) || !date.ok() || !in_range || !(rest.empty() || (timed && rest == "Z")))
    return std::nullopt;
  return std::chrono::seconds(std::chrono::sys_days(date).time_since_epoch()).count() + hour * 3600 + minute * 60 +
         second;
}

// Seconds since 1970 as a number or digits, or a date.
Result<std::optional<std::int64_t>> created_of(const json& row, const std::string& origin) {
  const auto at = row.find("created");
  if (at == row.end() || at->is_null() || (at->is_string() && at->get_ref<const std::string&>().empty()))
    return std::nullopt;
  if (at->is_number_unsigned() && at->get<std::uint64_t>() > INT64_MAX) return bad(origin, "\"created\" is too large");
  if (at->is_number_integer()) return at->get<std::int64_t>();
  if (at->is_number_float() && std::abs(at->get<double>()) < 1e15) return static_cast<std::int64_t>(at->get<double>());
  if (at->is_string()) {
    const auto& text = at->get_ref<const std::string&>();
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc{} && end == text.data() + text.size()) return seconds;
    if (const auto date = seconds_of_date(text)) return date;
  }
  return bad(origin, "\"created\" must be seconds since 1970, or a date as 2025-05-19 15:45:53 (UTC)");
}

std::vector<std::string> split_at_space(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> result;
  for (std::string word; words >> word;) result.push_back(word);
  return result;
}

// A list of texts, or one text separated by spaces.
Result<std::vector<std::string>> row_hashtags(const json& row, const std::string& origin) {
  const auto at = row.find("hashtags");
  if (at == row.end() || at->is_null()) return std::vector<std::string>();
  if (at->is_string()) return hashtag::normalize_all(split_at_space(at->get<std::string>()));
  if (!at->is_array()) return bad(origin, "\"hashtags\" must be a list of texts");
  std::vector<std::string> typed;
  for (const auto& one : *at) {
    if (!one.is_string()) return bad(origin, "\"hashtags\" must be a list of texts");
    typed.push_back(one.get<std::string>());
  }
  return hashtag::normalize_all(typed);
}

std::string row_attributes(const json& row) {
  static const std::set<std::string> known{"file",   "id",      "group", "hashtags", "caption",
                                           "author", "created", "site",  "missing"};
  json rest = json::object();
  for (const auto& [key, value] : row.items()) {
    const bool is_caption = key == "text" && !row.contains("caption");
    if (!known.contains(key) && !is_caption) rest[key] = value;
  }
  return dump_json(rest);
}

Result<Candidate> candidate_of(const json& row, const std::string& origin, std::filesystem::path file) {
  Candidate c;
  c.file = std::move(file);
  const char* caption = row.contains("caption") ? "caption" : "text";
  for (const auto& [key, field] : {std::pair{"id", &c.source_id},
                                   {"group", &c.group},
                                   {caption, &c.caption},
                                   {"author", &c.author},
                                   {"site", &c.site}}) {
    auto text = text_of(row, key, origin);
    if (!text) return tl::unexpected(text.error());
    *field = std::move(*text);
  }
  auto hashtags = row_hashtags(row, origin);
  if (!hashtags) return tl::unexpected(hashtags.error());
  c.hashtags = std::move(*hashtags);
  auto created = created_of(row, origin);
  if (!created) return tl::unexpected(created.error());
  c.created = *created;
  c.attributes = row_attributes(row);
  if (c.file.empty()) {
    const bool says = row.contains(caption) || row.contains("hashtags");
    if (c.source_id.empty() || !says) {
      return bad(origin,
                 "there is no \"file\"; a post without a video has an \"id\" and a \"caption\" or \"hashtags\"");
    }
    if (!row.contains("hashtags")) c.hashtags = hashtag::find_in_caption(c.caption);
  }
  return c;
}

// Whether a row declares that its file may be missing: true, or an equivalent text in CSV.
bool may_be_missing(const json& row) {
  const auto at = row.find("missing");
  if (at == row.end()) return false;
  return at->is_boolean() ? at->get<bool>() : *at == "true" || *at == "yes" || *at == "1";
}

std::vector<Entry> read_jsonl(const std::filesystem::path& manifest) {
  std::vector<Entry> entries;
  const auto read = each_json_line(manifest, [&](std::int64_t line, Result<json>&& row) {
    const auto origin = manifest.string() + ":" + std::to_string(line);
    if (row)
      entries.push_back(entry_of_row(*row, manifest.parent_path(), origin));
    else
      entries.push_back({origin, tl::unexpected(row.error())});
  });
  if (!read) throw Exception(read.error());
  return entries;
}

std::vector<Entry> read_csv(const std::filesystem::path& manifest) {
  std::ifstream in(manifest, std::ios::binary);
  if (!in) throw Exception(Code::permission_denied, "cannot read " + manifest.string());
  CsvReader csv(in, manifest.string());
  const auto head = csv.next();
  if (!head) return {};
  const auto names = [&](const char* column) {
    return *head && std::find((**head).begin(), (**head).end(), column) != (**head).end();
  };
  const bool describes = names("id") && (names("caption") || names("text") || names("hashtags"));
  if (!names("file") && !describes) {
    throw Exception(Code::invalid_argument, manifest.string() +
                                                ": the first line must name the columns, one of them `file`, or, for "
                                                "posts without a video, `id` and `caption` or `hashtags`");
  }
  std::vector<Entry> entries;
  while (const auto record = csv.next()) {
    const auto origin = manifest.string() + ":" + std::to_string(csv.line());
    if (!*record) {
      entries.push_back({origin, tl::unexpected(record->error())});
    } else if ((*record)->size() != (*head)->size()) {
      entries.push_back({origin, bad(origin, std::to_string((*record)->size()) + " fields where the first line has " +
                                                 std::to_string((*head)->size()))});
    } else {
      json row = json::object();
      for (std::size_t i = 0; i < (*head)->size(); ++i) row[(**head)[i]] = (**record)[i];
      entries.push_back(entry_of_row(row, manifest.parent_path(), origin));
    }
  }
  return entries;
}

}  // namespace

Result<std::filesystem::path> inside(const std::filesystem::path& base, const std::string& file) {
  std::error_code error;
  const auto root = std::filesystem::canonical(base.empty() ? "." : base, error);
  if (error) return fail(Code::not_found, base.string() + ": " + error.message());
  const auto escapes = [](const std::filesystem::path& relative) {
    return relative.empty() || *relative.begin() == "..";
  };
  const auto untrusted = fail(Code::permission_denied, file + " leads out of the folder of its manifest");
  const std::filesystem::path relative(file);
  if (relative.is_absolute() || file.find('\0') != std::string::npos || escapes(relative.lexically_normal()))
    return untrusted;
  const auto target = std::filesystem::weakly_canonical(root / relative, error);
  if (error) return fail(Code::not_found, (base / relative).string() + ": " + error.message());
  if (escapes(target.lexically_relative(root))) return untrusted;
  return base / relative;
}

Entry entry_of_row(const json& row, const std::filesystem::path& base, const std::string& origin) {
  if (!row.is_object()) return {origin, bad(origin, "a line must be a JSON object")};
  const auto name = text_of(row, "file", origin);
  if (!name) return {origin, tl::unexpected(name.error())};
  if (name->empty()) return {origin, candidate_of(row, origin, {})};
  auto file = inside(base, *name);
  if (!file) return {*name, fail(file.error().code, origin + ": " + file.error().message)};
  std::error_code error;
  if (may_be_missing(row) && !std::filesystem::exists(*file, error)) return {origin, candidate_of(row, origin, {})};
  const auto path = file->string();
  return {path, candidate_of(row, origin, std::move(*file))};
}

std::vector<Entry> read_manifest(const std::filesystem::path& manifest) {
  auto entries = manifest.extension() == ".csv" ? read_csv(manifest) : read_jsonl(manifest);
  if (entries.empty()) throw Exception(Code::not_found, manifest.string() + " has no rows: nothing to import");
  return entries;
}

}  // namespace reeltag::collect
