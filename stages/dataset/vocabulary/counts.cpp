#include "vocabulary/counts.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reeltag/base/json.hpp"
#include "reeltag/hashtag.hpp"

namespace reeltag::dataset {
namespace {

using nlohmann::json;

std::vector<std::string> hashtags_of(const json& row, const std::string& origin) {
  std::vector<std::string> typed;
  const auto at = row.find("hashtags");
  if (at == row.end() || at->is_null()) return typed;
  if (at->is_string()) {
    std::istringstream words(at->get<std::string>());
    for (std::string word; words >> word;) typed.push_back(word);
  } else if (at->is_array() && std::all_of(at->begin(), at->end(), [](const json& one) { return one.is_string(); })) {
    at->get_to(typed);
  } else {
    throw Exception(Code::invalid_argument, origin + ": \"hashtags\" must be a list of texts");
  }
  return hashtag::normalize_all(typed);
}

std::string group_of(const json& row) {
  for (const char* key : {"group", "author"}) {
    const auto at = row.find(key);
    if (at == row.end() || at->is_null()) continue;
    if (auto text = at->is_string() ? at->get<std::string>() : dump_json(*at); !text.empty()) return text;
  }
  return {};
}

}  // namespace

std::vector<TypedHashtags> typed_in_catalog(catalog::Catalog& catalog, const catalog::Filter& filter,
                                            bool metadata_only) {
  std::vector<TypedHashtags> rows;
  catalog.videos.each(filter, [&](const catalog::Video& v) {
    rows.push_back({.hashtags = hashtag::normalize_all(v.hashtags), .group = v.group});
  });
  if (!metadata_only) return rows;
  const auto wanted = hashtag::normalize(filter.hashtag.value_or(""));
  catalog.posts.each([&](const catalog::Post& p) {
    if (!p.video.empty() || p.outcome != "metadata_only" || (filter.source && p.source != *filter.source)) return;
    auto hashtags = hashtag::normalize_all(p.hashtags);
    if (filter.hashtag && std::find(hashtags.begin(), hashtags.end(), wanted) == hashtags.end()) return;
    rows.push_back({.hashtags = std::move(hashtags), .group = p.author});
  });
  return rows;
}

std::vector<TypedHashtags> typed_in_manifest(const std::filesystem::path& manifest) {
  std::vector<TypedHashtags> rows;
  const auto read = each_json_line(manifest, [&](std::int64_t line, Result<json>&& row) {
    const auto origin = manifest.string() + ":" + std::to_string(line);
    if (!row) throw Exception(row.error());
    if (!row->is_object()) throw Exception(Code::invalid_argument, origin + ": a line must be a JSON object");
    rows.push_back({.hashtags = hashtags_of(*row, origin), .group = group_of(*row)});
  });
  if (!read) throw Exception(read.error());
  return rows;
}

Counts::Counts(std::span<const TypedHashtags> rows, const std::set<std::string>& known) {
  std::unordered_map<std::string_view, std::int64_t> support;
  for (const auto& hashtag : known) support[hashtag] = 0;
  for (const auto& row : rows) {
    for (const auto& hashtag : std::set<std::string_view>(row.hashtags.begin(), row.hashtags.end())) ++support[hashtag];
  }
  std::vector<std::pair<std::int64_t, std::string_view>> ranked;
  for (const auto& [name, n] : support) ranked.emplace_back(-n, name);
  std::sort(ranked.begin(), ranked.end());
  names.reserve(ranked.size());
  for (const auto& one : ranked) {
    names.emplace_back(one.second);
    ids.emplace(names.back(), static_cast<int>(names.size()) - 1);
  }
  having.resize(names.size());
  std::unordered_map<std::string_view, int> groups;
  for (const auto& row : rows) {
    const int video = static_cast<int>(videos.size());
    auto& mine = videos.emplace_back();
    for (const auto& hashtag : row.hashtags) {
      const int id = ids.at(hashtag);
      if (std::find(mine.begin(), mine.end(), id) != mine.end()) continue;
      mine.push_back(id);
      having[static_cast<std::size_t>(id)].push_back(video);
    }
    tagged += mine.empty() ? 0 : 1;
    // A video without a group is a group of its own: a unique negative number.
    const int next = static_cast<int>(groups.size());
    group.push_back(row.group.empty() ? -1 - video : groups.emplace(row.group, next).first->second);
  }
}

int Counts::find(std::string_view name) const {
  const auto at = ids.find(name);
  return at == ids.end() ? -1 : at->second;
}

int Counts::supported(std::int64_t least) const {
  const auto end = std::partition_point(having.begin(), having.end(), [&](const std::vector<int>& of) {
    return static_cast<std::int64_t>(of.size()) >= least;
  });
  return static_cast<int>(end - having.begin());
}

std::int64_t Counts::groups_of(std::span<const int> of) const {
  std::vector<int> seen;
  seen.reserve(of.size());
  for (const int video : of) seen.push_back(group[static_cast<std::size_t>(video)]);
  std::sort(seen.begin(), seen.end());
  return std::unique(seen.begin(), seen.end()) - seen.begin();
}

std::vector<int> common(std::span<const int> a, std::span<const int> b) {
  std::vector<int> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

}  // namespace reeltag::dataset
