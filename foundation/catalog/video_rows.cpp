// Adds videos with their hashtags in batches.
#include <algorithm>
#include <set>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "chunks.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/hashtag.hpp"
#include "table_rows.hpp"

namespace reeltag::catalog {
namespace {

const std::string kInsertVideos =
    "INSERT INTO video (id, store_key, source, source_id, split_group, author, caption, created, duration, width, "
    "height, fps, codec, size_bytes, attributes, added) VALUES ";
const std::string kLeaveVideos = " ON CONFLICT (id) DO NOTHING RETURNING id, row_no";
const std::string kSelectVideoRow = "SELECT row_no FROM video WHERE id = $1";

const std::string kSelectHashtags = "SELECT name, row_no FROM hashtag WHERE name IN ";
const std::string kInsertHashtags = "INSERT INTO hashtag (name) VALUES ";
const std::string kReturnHashtags = " RETURNING name, row_no";
const std::string kInsertLinks = "INSERT INTO video_hashtag (video_row, position, hashtag_row, typed) VALUES ";
const std::string kSelectLinks =
    "SELECT h.name, l.position FROM video_hashtag l JOIN hashtag h ON h.row_no = l.hashtag_row WHERE l.video_row = $1";

// A hashtag of a video.
struct Link {
  std::int64_t video_row = 0, position = 0;
  std::string typed, name;
};

void take_rows(Query query, std::unordered_map<std::string, std::int64_t>& rows) {
  while (query.step()) rows.emplace(query.text(0), query.integer(1));
}

void append_links(std::int64_t video_row, const Video& video, std::vector<Link>& links) {
  std::int64_t position = 0;
  for (const auto& typed : video.hashtags) {
    links.push_back({.video_row = video_row, .position = position++, .typed = typed, .name = hashtag::fold(typed)});
  }
}

// Inserts the new videos. Returns their row numbers by id.
std::unordered_map<std::string, std::int64_t> insert_videos(Database& database, std::span<const Video* const> videos,
                                                            std::optional<std::int64_t> added) {
  constexpr std::size_t kColumns = 16;
  std::unordered_map<std::string, std::int64_t> rows;
  in_chunks(videos, [&](std::span<const Video* const> chunk) {
    auto insert = database.query(kInsertVideos + rows_text(chunk.size(), kColumns) + kLeaveVideos);
    int n = 0;
    const auto bind = [&](const auto&... values) { (insert.bind(++n, values), ...); };
    for (const auto* v : chunk) {
      bind(v->id, v->key, v->source, v->source_id, v->group, v->author, v->caption, v->created, v->duration, v->width,
           v->height, v->fps, v->codec, v->size_bytes, v->attributes, added.value_or(v->added));
    }
    take_rows(std::move(insert), rows);
  });
  return rows;
}

// The hashtags that the video's row lacks, numbered after the existing ones.
std::vector<Link> missing_links(Database& database, const Video& video) {
  auto select = database.query(kSelectVideoRow, video.id);
  if (!select.step()) throw Exception(Code::internal, "the catalog gave no row where there must be one");
  const auto video_row = select.integer(0);
  std::set<std::string> there;
  std::int64_t next = 0;
  auto stored = database.query(kSelectLinks, video_row);
  while (stored.step()) {
    there.insert(stored.text(0));
    next = std::max(next, stored.integer(1) + 1);
  }
  std::vector<Link> links;
  for (const auto& typed : video.hashtags) {
    auto name = hashtag::fold(typed);
    if (!there.insert(name).second) continue;
    links.push_back({.video_row = video_row, .position = next++, .typed = typed, .name = std::move(name)});
  }
  return links;
}

std::unordered_map<std::string, std::int64_t> hashtag_rows(Database& database, std::span<const Link> links) {
  std::unordered_map<std::string, std::int64_t> rows;
  const auto each_chunk = [&](const std::vector<std::string>& names, const auto& query_of) {
    in_chunks(std::span(names), [&](std::span<const std::string> chunk) {
      auto query = query_of(chunk.size());
      int n = 0;
      for (const auto& name : chunk) query.bind(++n, name);
      take_rows(std::move(query), rows);
    });
  };
  std::set<std::string> wanted;
  for (const auto& link : links) wanted.insert(link.name);
  each_chunk({wanted.begin(), wanted.end()},
             [&](std::size_t count) { return database.query(kSelectHashtags + rows_text(1, count)); });
  std::vector<std::string> unknown;
  for (const auto& name : wanted) {
    if (!rows.contains(name)) unknown.push_back(name);
  }
  each_chunk(unknown, [&](std::size_t count) {
    return database.query(kInsertHashtags + rows_text(count, 1) + kReturnHashtags);
  });
  return rows;
}

void insert_links(Database& database, std::span<const Link> links) {
  const auto rows = hashtag_rows(database, links);
  in_chunks(links, [&](std::span<const Link> chunk) {
    auto insert = database.query(kInsertLinks + rows_text(chunk.size(), 4));
    int n = 0;
    const auto bind = [&](const auto&... values) { (insert.bind(++n, values), ...); };
    for (const auto& link : chunk) bind(link.video_row, link.position, rows.at(link.name), link.typed);
    insert.step();
  });
}

}  // namespace

std::vector<AddOutcome> add_videos(Database& database, std::span<const Video> videos,
                                   std::optional<std::int64_t> added) {
  const bool all_welcome = salt_of(database).empty();  // nothing was ever forgotten
  std::vector<AddOutcome> answers(videos.size(), AddOutcome::duplicate);
  std::vector<const Video*> welcome;
  for (std::size_t i = 0; i < videos.size(); ++i) {
    if (!all_welcome && is_forgotten(database, &videos[i], nullptr)) {
      answers[i] = AddOutcome::forgotten;
    } else {
      welcome.push_back(&videos[i]);
    }
  }
  auto rows = insert_videos(database, welcome, added);
  std::vector<Link> links;
  std::vector<const Video*> again;
  for (std::size_t i = 0; i < videos.size(); ++i) {
    if (answers[i] == AddOutcome::forgotten) continue;
    if (const auto row = rows.extract(videos[i].id)) {
      append_links(row.mapped(), videos[i], links);
      answers[i] = AddOutcome::added;
    } else {
      again.push_back(&videos[i]);
    }
  }
  insert_links(database, links);
  for (const auto* video : again) insert_links(database, missing_links(database, *video));
  return answers;
}

std::string file_name_of(const Video& video) {
  const auto attributes = nlohmann::json::parse(video.attributes, nullptr, false);
  if (!attributes.is_object()) return {};
  const auto name = attributes.find(kFileAttribute);
  return name != attributes.end() && name->is_string() ? name->get<std::string>() : std::string();
}

}  // namespace reeltag::catalog
