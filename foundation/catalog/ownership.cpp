#include <limits>

#include "check_video.hpp"
#include "connection.hpp"
#include "must_exist.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/catalog/service.hpp"
#include "reeltag/hashtag.hpp"
#include "sql_rows.hpp"

namespace reeltag::catalog {
namespace {

const std::string kHold =
    "INSERT INTO holding (owner, video, name, added, client) SELECT $1, id, $3, CAST($4 AS BIGINT), $5 FROM video "
    "WHERE "
    "id = $2 "
    "ON CONFLICT (owner, video) DO UPDATE SET name = excluded.name RETURNING video";

// $1 is the viewer's owner. Further owners of the video do not matter.
const std::string kShownColumns = "SELECT v.row_no, v.id, h.owner, h.name, t.result ";
const std::string kFromVideos =
    kShownColumns +
    "FROM video v LEFT JOIN holding h ON h.video = v.id AND h.owner = $1 LEFT JOIN tagging t ON t.video = v.id ";
const std::string kFromHoldings =
    kShownColumns +
    "FROM holding h JOIN video v ON v.id = h.video LEFT JOIN tagging t ON t.video = v.id WHERE h.owner = $1 ";
const std::string kLibrary = "v.source <> '" + std::string(kUploadSource) + "' ";
const std::string kVisible = "(" + kLibrary + "OR h.owner IS NOT NULL) ";
const std::string kPage = "AND v.row_no < $2 ";
const std::string kWithHashtag =
    "AND v.row_no IN (SELECT l.video_row FROM hashtag n JOIN video_hashtag l ON l.hashtag_row = n.row_no "
    "WHERE n.name = $4 UNION SELECT w.row_no FROM tagging_hashtag g JOIN video w ON w.id = g.video WHERE g.name = $4 "
    "UNION SELECT w.row_no FROM feedback f JOIN video w ON w.id = f.video WHERE f.name = $4 AND f.owner = $1 AND "
    "f.verdict <> 'reject') ";
const std::string kNewest = "ORDER BY v.row_no DESC LIMIT $3";
const std::string kFindVisible = kFromVideos + "WHERE v.id = $2 AND ";
const std::string kSelectOneVideo = kSelectVideos + "WHERE v.id = $1 ORDER BY l.position";

const std::string kUsage =
    "SELECT COUNT(*), COALESCE(SUM(v.size_bytes), 0) FROM video v WHERE EXISTS (SELECT 1 FROM holding h WHERE "
    "h.video = v.id AND (h.owner = $1 OR (h.client = $2 AND h.client <> '')))";
const std::string kDropHolding = "DELETE FROM holding WHERE video = $1 AND owner = $2";
const std::string kDropFeedback = "DELETE FROM feedback WHERE video = $1 AND owner = $2";
const std::string kDropJobs = "DELETE FROM job WHERE video = $1 AND owner = $2 AND state NOT IN ('queued', 'running')";
const std::string kUnheld = "SELECT store_key FROM video v WHERE v.id = $1 AND NOT (" + kLibrary +
                            ") AND NOT EXISTS (SELECT 1 FROM holding h WHERE h.video = v.id)";
const std::string kAnyway = "SELECT store_key FROM video WHERE id = $1";
const std::string kLeave = "INSERT INTO leftover (video, store_key) VALUES ($1, $2) ON CONFLICT (video) DO NOTHING";
const std::string kDeleteVideoRow = "DELETE FROM video WHERE id = $1";  // deletes everything that refers to it too
const std::string kDeleteEndedJobs = "DELETE FROM job WHERE video = $1 AND state NOT IN ('queued', 'running')";
const std::string kLeftovers =
    "SELECT video, store_key FROM leftover l WHERE NOT EXISTS (SELECT 1 FROM video v WHERE v.id = l.video) "
    "ORDER BY video";
const std::string kForgetLeftover = "DELETE FROM leftover WHERE video = $1";

std::vector<VideoView> views_of(Database& database, Query rows) {
  std::vector<VideoView> out;
  while (rows.step()) {
    VideoView one{.number = rows.integer(0), .video = {}, .mine = !rows.is_null(2)};
    one.video.id = rows.text(1);
    if (one.mine) one.name = rows.text(3);
    if (!rows.is_null(4)) one.tagging = rows.text(4);
    out.push_back(std::move(one));
  }
  for (auto& one : out) {
    auto video = database.query(kSelectOneVideo, one.video.id);
    each_video(video, [&](const Video& v) { one.video = v; });
  }
  return out;
}

}  // namespace

Ownership::Ownership(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

void Ownership::add_owner(std::string_view owner, std::string_view video, std::string_view name,
                          std::string_view client) {
  check_key(owner, "the owner of a video");
  check_text(name, "the name of a file");
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  must_exist(database->query(kHold, owner, video, name, unix_seconds(), client), video);
  transaction.commit();
}

StoredVideos Ownership::usage(std::string_view owner, std::string_view client) {
  const Connection::Use database(*connection_);
  auto row = database->query(kUsage, owner, client);
  return row.step() ? StoredVideos{row.integer(0), row.integer(1)} : StoredVideos{};
}

std::optional<VideoView> Ownership::find(const Viewer& viewer, std::string_view video) {
  const Connection::Use database(*connection_);
  auto found =
      views_of(*database, database->query(kFindVisible + (viewer.all ? "1 = 1" : kVisible), viewer.owner, video));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<VideoView> Ownership::list(const Viewer& viewer, Visibility of, std::string_view hashtag,
                                       std::int64_t before, std::int64_t limit) {
  std::string text = of == Visibility::mine ? kFromHoldings : kFromVideos + "WHERE ";
  if (of == Visibility::library) text += kLibrary;
  if (of == Visibility::all) text += viewer.all ? "1 = 1 " : kVisible;
  text += kPage;
  if (!hashtag.empty()) text += kWithHashtag;
  text += kNewest;
  const auto below = before > 0 ? before : std::numeric_limits<std::int64_t>::max();
  const auto name = hashtag::fold(hashtag);
  const Connection::Use database(*connection_);
  auto rows = hashtag.empty() ? database->query(text, viewer.owner, below, limit)
                              : database->query(text, viewer.owner, below, limit, name);
  return views_of(*database, std::move(rows));
}

std::int64_t Ownership::count() {
  const Connection::Use database(*connection_);
  auto row = database->query("SELECT COUNT(*) FROM holding");
  return row.step() ? row.integer(0) : 0;
}

bool Ownership::remove_owner(const Viewer& viewer, std::string_view video) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  database->query(kDropHolding, video, viewer.owner).step();
  database->query(kDropFeedback, video, viewer.owner).step();
  database->query(kDropJobs, video, viewer.owner).step();
  std::optional<std::string> key;
  {
    auto row = database->query(viewer.all ? kAnyway : kUnheld, video);
    if (row.step()) key = row.text(0);
  }
  if (key) {
    database->query(kLeave, video, *key).step();
    database->query(kDeleteVideoRow, video).step();
    database->query(kDeleteEndedJobs, video).step();
  }
  transaction.commit();
  return key.has_value();
}

std::vector<std::pair<std::string, std::string>> Ownership::orphaned_blobs() {
  const Connection::Use database(*connection_);
  auto rows = database->query(kLeftovers);
  std::vector<std::pair<std::string, std::string>> out;
  while (rows.step()) out.emplace_back(rows.text(0), rows.text(1));
  return out;
}

void Ownership::forget_orphaned_blob(std::string_view video) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  database->query(kForgetLeftover, video).step();
  transaction.commit();
}

}  // namespace reeltag::catalog
