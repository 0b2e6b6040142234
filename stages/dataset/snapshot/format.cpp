#include "snapshot/format.hpp"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/json.hpp"

namespace reeltag::dataset {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::int64_t kMaxHead = 1LL << 30;  // bytes of dataset.json

[[noreturn]] void corrupt(const fs::path& file, const std::string& what) {
  throw Exception(Code::corrupt, file.string() + ": " + what + "; the dataset was changed or damaged, freeze it again");
}

template <class E, std::size_t N>
E named(const std::array<std::string_view, N>& names, const std::string& name, const fs::path& file) {
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) corrupt(file, "unknown word " + name);
  return static_cast<E>(at - names.begin());
}

json line_of(const Item& item) {
  json line{{"id", item.video},       {"key", item.key},
            {"group", item.group},    {"split", kSplitNames[static_cast<std::size_t>(item.split)]},
            {"labels", item.labels},  {"hashtags", item.hashtags},
            {"caption", item.caption}};
  // Omitted when empty, so that ids from before these fields stay the same.
  if (!item.author.empty()) line["author"] = item.author;
  if (!item.cluster.empty()) line["cluster"] = item.cluster;
  return line;
}

Item item_of(const json& row, const Dataset& set, const fs::path& file) {
  Item item;
  row.at("id").get_to(item.video);
  row.at("key").get_to(item.key);
  row.at("group").get_to(item.group);
  item.split = named<Split>(kSplitNames, row.at("split").get<std::string>(), file);
  row.at("labels").get_to(item.labels);
  row.at("hashtags").get_to(item.hashtags);
  row.at("caption").get_to(item.caption);
  item.author = row.value("author", "");
  item.cluster = row.value("cluster", "");
  const auto most = static_cast<int>(set.vocabulary.size());
  const bool in_range = std::all_of(item.labels.begin(), item.labels.end(), [&](int l) { return l >= 0 && l < most; });
  if (!in_range) corrupt(file, "video " + item.video + " has a label outside the vocabulary");
  if (set.label_mode == LabelMode::single && item.labels.size() != 1)
    corrupt(file, "video " + item.video + " needs one class");
  if (!std::is_sorted(item.labels.begin(), item.labels.end(), std::less_equal<>()))
    corrupt(file, "video " + item.video + " repeats a label");
  return item;
}

// Reads dataset.json and checks it against the folder's name; "content" is what the id covers.
json read_head(const fs::path& folder) {
  const auto file = folder / "dataset.json";
  auto parsed = parse_json(value_or_throw(read_file(file, kMaxHead)), file.string());
  if (!parsed || !parsed->is_object()) corrupt(file, "not a JSON object");
  json& head = *parsed;
  const int format = head.value("format", 0);
  if (format > kFormat) {
    throw Exception(Code::unsupported, file.string() + " has format " + std::to_string(format) +
                                           "; this reeltag reads up to " + std::to_string(kFormat) +
                                           ": use a newer one");
  }
  if (format < 1) corrupt(file, "no format version");
  const auto id = head.at("id").get<std::string>();
  // A redacted set keeps its original id; `redacted` is the id of the remaining content.
  const auto content = head.value("redacted", id);
  if (content != content_id(dump_json(head.at("content"))) || id != folder.filename().string())
    corrupt(file, "the content is not that of its id");
  return std::move(head);
}

// Turns JSON of the wrong shape into corrupt, naming the file.
template <class F>
auto guarded(const fs::path& folder, F&& read) {
  try {
    return read();
  } catch (const json::exception& e) {
    corrupt(folder / "dataset.json", e.what());
  }
}

std::string name_of_videos(const json& videos) { return videos.value("file", "videos.jsonl"); }

void read_items(const fs::path& folder, const json& videos, Dataset& set) {
  const auto file = folder / name_of_videos(videos);
  const auto digest = value_or_throw(sha256_file(file));
  if (hex(digest) != videos.at("sha256").get<std::string>()) corrupt(file, "the SHA-256 is not that of dataset.json");
  const auto read = each_json_line(file, [&](std::int64_t line, Result<json>&& row) {
    if (!row) corrupt(file, "line " + std::to_string(line));
    set.items.push_back(item_of(*row, set, file));
  });
  if (!read) throw Exception(read.error());
  if (static_cast<std::int64_t>(set.items.size()) != videos.at("count").get<std::int64_t>())
    corrupt(file, "lines are missing");
}

std::string lines_of(const Dataset& set) {
  std::string lines;
  for (const auto& item : set.items) lines += dump_json(line_of(item)) + "\n";
  return lines;
}

json content_of(const Dataset& set, const std::string& lines) {
  auto rejected = json::array();
  for (const auto& one : set.rejected) rejected.push_back({{"video", one.video}, {"reason", one.reason}});
  const auto summary = summary_of(set);
  return {{"labels", kLabelModeNames[static_cast<std::size_t>(set.label_mode)]},
          {"options", json::parse(set.options)},
          {"vocabulary", set.vocabulary},
          {"counts", summary.videos},
          {"rejected", std::move(rejected)},
          {"videos", {{"count", set.items.size()}, {"sha256", hex(sha256(lines))}}}};
}

}  // namespace

RedactedFiles encode_redacted(const Dataset& set) {
  RedactedFiles files;
  files.videos_jsonl = lines_of(set);
  files.videos_name = "videos-" + content_id(files.videos_jsonl) + ".jsonl";
  auto content = content_of(set, files.videos_jsonl);
  content["videos"]["file"] = files.videos_name;
  content["forgotten"] = set.forgotten;
  const json head{{"format", kFormat},
                  {"id", set.id},
                  {"created", set.created},
                  {"redacted", content_id(dump_json(content))},
                  {"content", content}};
  files.dataset_json = dump_json(head) + "\n";
  return files;
}

fs::path videos_file(const fs::path& folder) {
  return guarded(folder, [&] { return folder / name_of_videos(read_head(folder).at("content").at("videos")); });
}

Files encode(const Dataset& set, std::int64_t created) {
  Files files;
  files.videos_jsonl = lines_of(set);
  const json content = content_of(set, files.videos_jsonl);
  files.id = content_id(dump_json(content));
  const json head{{"format", kFrozenFormat}, {"id", files.id}, {"created", created}, {"content", content}};
  files.dataset_json = dump_json(head) + "\n";
  return files;
}

Dataset decode(const fs::path& folder) {
  return guarded(folder, [&] {
    const json head = read_head(folder);
    const json& content = head.at("content");
    const auto file = folder / "dataset.json";
    Dataset set;
    head.at("id").get_to(set.id);
    head.at("created").get_to(set.created);
    set.label_mode = named<LabelMode>(kLabelModeNames, content.at("labels").get<std::string>(), file);
    content.at("vocabulary").get_to(set.vocabulary);
    if (std::set<std::string>(set.vocabulary.begin(), set.vocabulary.end()).size() != set.vocabulary.size()) {
      corrupt(file, "the vocabulary repeats a hashtag");
    }
    set.options = dump_json(content.at("options"));
    set.forgotten = content.value("forgotten", std::int64_t{0});
    for (const auto& one : content.at("rejected")) {
      set.rejected.push_back({one.at("video").get<std::string>(), one.at("reason").get<std::string>()});
    }
    read_items(folder, content.at("videos"), set);
    return set;
  });
}

Result<Summary> decode_summary(const fs::path& folder) {
  try {
    return guarded(folder, [&]() -> Summary {
      const json head = read_head(folder);
      const json& content = head.at("content");
      Summary s;
      head.at("id").get_to(s.id);
      head.at("created").get_to(s.created);
      s.label_mode =
          named<LabelMode>(kLabelModeNames, content.at("labels").get<std::string>(), folder / "dataset.json");
      content.at("counts").get_to(s.videos);
      s.hashtags = static_cast<std::int64_t>(content.at("vocabulary").size());
      s.rejected = static_cast<std::int64_t>(content.at("rejected").size());
      s.forgotten = content.value("forgotten", std::int64_t{0});
      return s;
    });
  } catch (const Exception& e) {
    return fail(e.error());
  }
}

}  // namespace reeltag::dataset
