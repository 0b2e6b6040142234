// Who brought which video, what models found in it and what people say of that.
#include <array>
#include <limits>

#include "check_video.hpp"
#include "connection.hpp"
#include "sql_catalog.hpp"
#include "sql_rows.hpp"

namespace reeltag::catalog {
namespace {

constexpr std::array<std::string_view, 3> kVerdicts{"accept", "reject", "add"};

const std::string kHold =
    "INSERT INTO holding (owner, video, name, added) SELECT $1, id, $3, CAST($4 AS BIGINT) FROM video WHERE id = $2 "
    "ON CONFLICT (owner, video) DO UPDATE SET name = excluded.name RETURNING video";

// $1 is the viewer's owner. Several holdings of others do not matter.
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
const std::string kFind = kFromVideos + "WHERE v.id = $2 AND ";
const std::string kSelectVideo = kSelectVideos + "WHERE v.id = $1 ORDER BY l.position";

const std::string kPutTagging =
    "INSERT INTO tagging (video, model, made, result) SELECT id, $2, CAST($3 AS BIGINT), $4 FROM video WHERE id = $1 "
    "ON CONFLICT (video) DO UPDATE SET model = excluded.model, made = excluded.made, result = excluded.result "
    "RETURNING video";
const std::string kDropTagged = "DELETE FROM tagging_hashtag WHERE video = $1";
const std::string kPutTagged =
    "INSERT INTO tagging_hashtag (name, video) VALUES ($1, $2) ON CONFLICT (name, video) DO NOTHING";
const std::string kTagging = "SELECT model, result FROM tagging WHERE video = $1";

const std::string kGive =
    "INSERT INTO feedback (video, owner, name, typed, verdict, given) SELECT id, $2, $3, $4, $5, CAST($6 AS BIGINT) "
    "FROM video "
    "WHERE id = $1 ON CONFLICT (video, owner, name) DO UPDATE SET typed = excluded.typed, "
    "verdict = excluded.verdict, given = excluded.given RETURNING video";
const std::string kTakeBack = "DELETE FROM feedback WHERE video = $1 AND owner = $2 AND name = $3 RETURNING name";
const std::string kFeedback = "SELECT typed, verdict FROM feedback WHERE video = $1 AND owner = $2 ORDER BY name";

// Names are collect/SOURCE/hashtag/SCOPE/HASHTAG; '0' follows '/'.
const std::string kTotals = "SELECT (SELECT COUNT(*) FROM holding), (SELECT COUNT(*) FROM feedback)";
const std::string kJournals =
    "SELECT name, body FROM note WHERE name >= 'collect/' AND name < 'collect0' ORDER BY name";
const std::string kCollected =
    "SELECT COUNT(DISTINCT v.row_no) FROM hashtag n JOIN video_hashtag l ON l.hashtag_row = n.row_no "
    "JOIN video v ON v.row_no = l.video_row WHERE n.name = $1 AND v.source = $2";

const std::string kDropHolding = "DELETE FROM holding WHERE video = $1 AND owner = $2";
const std::string kDropFeedback = "DELETE FROM feedback WHERE video = $1 AND owner = $2";
const std::string kDropJobs = "DELETE FROM job WHERE video = $1 AND owner = $2 AND state NOT IN ('queued', 'running')";
const std::string kUnheld = "SELECT store_key FROM video v WHERE v.id = $1 AND NOT (" + kLibrary +
                            ") AND NOT EXISTS (SELECT 1 FROM holding h WHERE h.video = v.id)";
const std::string kAnyway = "SELECT store_key FROM video WHERE id = $1";
const std::string kLeave = "INSERT INTO leftover (video, store_key) VALUES ($1, $2) ON CONFLICT (video) DO NOTHING";
const std::string kDeleteVideo = "DELETE FROM video WHERE id = $1";  // all that refers to it goes with it
const std::string kDeleteJobs = "DELETE FROM job WHERE video = $1 AND state NOT IN ('queued', 'running')";
const std::string kLeftovers =
    "SELECT video, store_key FROM leftover l WHERE NOT EXISTS (SELECT 1 FROM video v WHERE v.id = l.video) "
    "ORDER BY video";
const std::string kForgetLeftover = "DELETE FROM leftover WHERE video = $1";

void must_exist(Query query, std::string_view video) {
  if (!query.step()) throw Exception(Code::not_found, "there is no video " + std::string(video));
}

std::vector<Shown> shown(Database& database, Query rows) {
  std::vector<Shown> out;
  while (rows.step()) {
    Shown one{.number = rows.integer(0), .video = {}, .mine = !rows.is_null(2)};
    one.video.id = rows.text(1);
    if (one.mine) one.name = rows.text(3);
    if (!rows.is_null(4)) one.tagging = rows.text(4);
    out.push_back(std::move(one));
  }
  for (auto& one : out) {
    auto video = database.query(kSelectVideo, one.video.id);
    each_video(video, [&](const Video& v) { one.video = v; });
  }
  return out;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept { return kVerdicts[static_cast<std::size_t>(verdict)]; }

std::optional<Verdict> verdict_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kVerdicts.size(); ++i)
    if (kVerdicts[i] == name) return static_cast<Verdict>(i);
  return std::nullopt;
}

Shelf::Shelf(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

void Shelf::hold(std::string_view owner, std::string_view video, std::string_view name) {
  check_key(owner, "the owner of a video");
  check_text(name, "the name of a file");
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  must_exist(database->query(kHold, owner, video, name, seconds_since_1970()), video);
  transaction.commit();
}

std::optional<Shown> Shelf::find(const Viewer& viewer, std::string_view video) {
  const Connection::Use database(*connection_);
  auto found = shown(*database, database->query(kFind + (viewer.all ? "1 = 1" : kVisible), viewer.owner, video));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Shown> Shelf::list(const Viewer& viewer, Of of, std::string_view hashtag, std::int64_t before,
                               std::int64_t limit) {
  std::string text = of == Of::mine ? kFromHoldings : kFromVideos + "WHERE ";
  if (of == Of::library) text += kLibrary;
  if (of == Of::all) text += viewer.all ? "1 = 1 " : kVisible;
  text += kPage;
  if (!hashtag.empty()) text += kWithHashtag;
  text += kNewest;
  const auto below = before > 0 ? before : std::numeric_limits<std::int64_t>::max();
  const auto name = normalise_hashtag(hashtag);
  const Connection::Use database(*connection_);
  auto rows = hashtag.empty() ? database->query(text, viewer.owner, below, limit)
                              : database->query(text, viewer.owner, below, limit, name);
  return shown(*database, std::move(rows));
}

void Shelf::put_tagging(std::string_view video, std::string_view model, std::string_view result,
                        std::span<const std::string> sure) {
  check_text(result, "what was found in a video");
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  must_exist(database->query(kPutTagging, video, model, seconds_since_1970(), result), video);
  database->query(kDropTagged, video).step();
  for (const auto& hashtag : sure) database->query(kPutTagged, normalise_hashtag(hashtag), video).step();
  transaction.commit();
}

std::optional<Shelf::Tagging> Shelf::tagging(std::string_view video) {
  const Connection::Use database(*connection_);
  auto row = database->query(kTagging, video);
  if (!row.step()) return std::nullopt;
  return Tagging{row.text(0), row.text(1)};
}

void Shelf::give_feedback(std::string_view video, std::string_view owner, const Feedback& feedback) {
  check_key(feedback.typed, "a hashtag");
  const auto name = normalise_hashtag(feedback.typed);
  if (name.empty()) throw Exception(Code::invalid_argument, "a hashtag must have at least one character");
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  must_exist(
      database->query(kGive, video, owner, name, feedback.typed, verdict_name(feedback.verdict), seconds_since_1970()),
      video);
  transaction.commit();
}

bool Shelf::take_back(std::string_view video, std::string_view owner, std::string_view hashtag) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const bool was_there = database->query(kTakeBack, video, owner, normalise_hashtag(hashtag)).step();
  transaction.commit();
  return was_there;
}

std::vector<Feedback> Shelf::feedback(std::string_view video, std::string_view owner) {
  const Connection::Use database(*connection_);
  auto rows = database->query(kFeedback, video, owner);
  std::vector<Feedback> out;
  while (rows.step()) {
    const auto verdict = verdict_from(rows.text_view(1));
    if (!verdict) throw Exception(Code::corrupt, "feedback says '" + rows.text(1) + "' of a hashtag");
    out.push_back({rows.text(0), *verdict});
  }
  return out;
}

Shelf::Totals Shelf::totals() {
  const Connection::Use database(*connection_);
  auto row = database->query(kTotals);
  if (!row.step()) return {};
  return {.holdings = row.integer(0), .feedback = row.integer(1)};
}

std::vector<Shelf::Collection> Shelf::collections() {
  const std::string middle_of_name = "/hashtag/";
  const Connection::Use database(*connection_);
  std::vector<Collection> out;
  {
    auto rows = database->query(kJournals);
    while (rows.step()) {
      const auto name = rows.text(0);
      const auto source = name.find('/') + 1, middle = name.find(middle_of_name, source);
      if (middle == std::string::npos) continue;
      const auto hashtag = name.find('/', middle + middle_of_name.size());
      if (hashtag == std::string::npos) continue;
      out.push_back({name.substr(source, middle - source), name.substr(hashtag + 1), rows.text(1)});
    }
  }
  for (auto& one : out) {
    auto row = database->query(kCollected, normalise_hashtag(one.hashtag), one.source);
    if (row.step()) one.videos = row.integer(0);
  }
  return out;
}

bool Shelf::take_away(const Viewer& viewer, std::string_view video) {
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
    database->query(kDeleteVideo, video).step();
    database->query(kDeleteJobs, video).step();
  }
  transaction.commit();
  return key.has_value();
}

std::vector<std::pair<std::string, std::string>> Shelf::leftovers() {
  const Connection::Use database(*connection_);
  auto rows = database->query(kLeftovers);
  std::vector<std::pair<std::string, std::string>> out;
  while (rows.step()) out.emplace_back(rows.text(0), rows.text(1));
  return out;
}

void Shelf::forget_leftover(std::string_view video) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  database->query(kForgetLeftover, video).step();
  transaction.commit();
}

}  // namespace reeltag::catalog
