// The table of videos.
#include "check_video.hpp"
#include "connection.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/catalog/tables.hpp"
#include "reeltag/hashtag.hpp"
#include "sql_rows.hpp"
#include "table_rows.hpp"

namespace reeltag::catalog {
namespace {

const std::string kSelectVideo = kSelectVideos + "WHERE v.id = $1 ORDER BY l.position";
const std::string kCountVideos = "SELECT COUNT(*) FROM video v ";

const std::string kCountHashtags =
    "SELECT h.name, n.videos FROM (SELECT hashtag_row, COUNT(DISTINCT video_row) AS videos FROM video_hashtag "
    "GROUP BY hashtag_row) n JOIN hashtag h ON h.row_no = n.hashtag_row ORDER BY n.videos DESC, h.name";

struct Condition {
  std::string sql;
  std::vector<std::string> values;
};

Condition condition_of(const Filter& filter) {
  Condition condition;
  const auto add = [&](const std::string& before, const std::string& value, const std::string& after) {
    condition.values.push_back(value);
    condition.sql += (condition.values.size() == 1 ? "WHERE " : "AND ") + before + "$" +
                     std::to_string(condition.values.size()) + after;
  };
  if (filter.source) {
    check_text(*filter.source, "the source to look for");
    add("v.source = ", *filter.source, " ");
  }
  if (filter.hashtag) {
    check_text(*filter.hashtag, "the hashtag to look for");
    add("v.row_no IN (SELECT w.video_row FROM video_hashtag w JOIN hashtag h ON h.row_no = w.hashtag_row WHERE h.name "
        "= ",
        hashtag::fold(*filter.hashtag), ") ");
  }
  return condition;
}

// The single column of the query's single row.
std::int64_t single_integer(Query query) {
  if (!query.step()) throw Exception(Code::internal, "the catalog gave no row where there must be one");
  return query.integer(0);
}

}  // namespace

Videos::Videos(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

AddOutcome Videos::add(const Video& video) { return add_all({&video, 1}).front(); }

std::vector<AddOutcome> Videos::add_all(std::span<const Video> videos) {
  for (const auto& video : videos) check_video(video);
  if (videos.empty()) return {};
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  auto answers = add_videos(*database, videos, unix_seconds());
  transaction.commit();
  return answers;
}

std::optional<Video> Videos::get(std::string_view id) {
  check_text(id, "the id to look for");
  const Connection::Use database(*connection_);
  auto rows = database->query(kSelectVideo, id);
  std::optional<Video> found;
  each_video(rows, [&](const Video& video) { found = video; });
  return found;
}

void Videos::each(const Filter& filter, const std::function<void(const Video&)>& visit) {
  const auto condition = condition_of(filter);
  const Connection::Use database(*connection_);
  auto rows = database->stream_with(kSelectVideos + condition.sql + "ORDER BY v.id, l.position", condition.values);
  each_video(rows, visit);
}

std::int64_t Videos::count(const Filter& filter) {
  const auto condition = condition_of(filter);
  const Connection::Use database(*connection_);
  return single_integer(database->query_with(kCountVideos + condition.sql, condition.values));
}

std::vector<std::pair<std::string, std::int64_t>> Videos::hashtag_counts() {
  const Connection::Use database(*connection_);
  auto rows = database->query(kCountHashtags);
  std::vector<std::pair<std::string, std::int64_t>> counts;
  while (rows.step()) counts.emplace_back(rows.text(0), rows.integer(1));
  return counts;
}

}  // namespace reeltag::catalog
