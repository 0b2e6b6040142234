// The table of tombstones, and forgetting.
#include "connection.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/catalog/tables.hpp"
#include "table_rows.hpp"
#include "tombstone_names.hpp"

namespace reeltag::catalog {
namespace {

const std::string kPendingNote = "forget/pending";
const std::string kKeepSalt = "INSERT INTO note (name, body) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

const std::string kPutPending =
    "INSERT INTO note (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body";
const std::string kDropPending = "DELETE FROM note WHERE name = $1 AND body = $2";

const std::string kBury =
    "INSERT INTO tombstone (kind, name, made) VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO NOTHING";
const std::string kSelectTombstone = "SELECT 1 FROM tombstone WHERE kind = $1 AND name = $2";
const std::string kSelectTombstoneNames = "SELECT name FROM tombstone";

const std::string kVideosOfAuthor = "SELECT id FROM video WHERE author = $1 OR split_group = $1 ORDER BY id";
const std::string kPostsOfAuthor = "SELECT site || ':' || id FROM post WHERE author = $1 ORDER BY site, id";
const std::string kPostsOfVideo = "SELECT site || ':' || id FROM post WHERE video = $1 ORDER BY site, id";
// Imported videos may have the source's id without a post.
const std::string kVideosOfPost =
    "SELECT video FROM post WHERE site = $1 AND id = $2 AND video <> '' "
    "UNION SELECT id FROM video WHERE source = $1 AND source_id = $2 ORDER BY 1";

const std::string kDeleteVideo = "DELETE FROM video WHERE id = $1 RETURNING id";  // deletes links and fingerprint too
const std::string kDeleteJobs = "DELETE FROM job WHERE video = $1";
const std::string kDeletePost = "DELETE FROM post WHERE site = $1 AND id = $2 RETURNING id";
const std::string kDeleteHashtags =
    "DELETE FROM hashtag WHERE NOT EXISTS (SELECT 1 FROM video_hashtag l WHERE l.hashtag_row = hashtag.row_no)";

std::pair<std::string_view, std::string_view> parts_of(std::string_view post) {
  const auto colon = post.find(':');
  return {post.substr(0, colon), post.substr(colon + 1)};
}

void bury(Database& database, Forgettable kind, std::string_view value) {
  database.query(kBury, kind_name(kind), tombstone_name(salt_of(database), kind, value), unix_seconds()).step();
  if (kind != Forgettable::post) return;
  // The collector names post files by the id for single-site sources, by site and id for others.
  const auto [site, id] = parts_of(value);
  bury(database, Forgettable::download, content_id(id));
  bury(database, Forgettable::download, content_id(std::string(site) + "/" + std::string(id)));
}

std::vector<std::string> column(Query rows) {
  std::vector<std::string> values;
  while (rows.step()) values.push_back(rows.text(0));
  return values;
}

void take_out_posts(Database& database, const std::vector<std::string>& posts, ForgetResult& gone) {
  for (const auto& post : posts) {
    bury(database, Forgettable::post, post);
    const auto [site, id] = parts_of(post);
    if (database.query(kDeletePost, site, id).step()) gone.posts.push_back(post);
  }
}

void take_out(Database& database, const std::string& video, ForgetResult& gone) {
  bury(database, Forgettable::video, video);
  if (database.query(kDeleteVideo, video).step()) gone.videos.push_back(video);
  database.query(kDeleteJobs, video).step();
  take_out_posts(database, column(database.query(kPostsOfVideo, video)), gone);
}

}  // namespace

std::string salt_of(Database& database) { return note_body(database, kSaltNote); }

bool has_tombstone(Database& database, Forgettable kind, std::string_view value) {
  const auto salt = salt_of(database);
  if (salt.empty()) return false;
  return database.query(kSelectTombstone, kind_name(kind), tombstone_name(salt, kind, value)).step();
}

bool is_forgotten(Database& database, const Video* video, const Post* post) {
  if (salt_of(database).empty()) return false;
  const auto buried = [&](Forgettable kind, const std::string& value) {
    return !value.empty() && has_tombstone(database, kind, value);
  };
  if (video != nullptr && (buried(Forgettable::video, video->id) || buried(Forgettable::author, video->author) ||
                           buried(Forgettable::author, video->group))) {
    return true;
  }
  return post != nullptr && (buried(Forgettable::post, post_name(post->site, post->id)) ||
                             buried(Forgettable::author, post->author) || buried(Forgettable::video, post->video));
}

Tombstones::Tombstones(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

ForgetResult Tombstones::forget(Forgettable kind, std::string_view value) {
  check_forgettable(kind, value);
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  if (salt_of(*database).empty()) database->query(kKeepSalt, kSaltNote, random_salt()).step();
  database->query(kPutPending, kPendingNote, random_salt()).step();
  bury(*database, kind, value);
  ForgetResult gone;
  if (kind == Forgettable::video) take_out(*database, std::string(value), gone);
  if (kind == Forgettable::author) {
    for (const auto& video : column(database->query(kVideosOfAuthor, value))) take_out(*database, video, gone);
    take_out_posts(*database, column(database->query(kPostsOfAuthor, value)), gone);
  }
  if (kind == Forgettable::post) {
    const auto [site, id] = parts_of(value);
    const auto videos = column(database->query(kVideosOfPost, site, id));
    take_out_posts(*database, {std::string(value)}, gone);
    for (const auto& video : videos) take_out(*database, video, gone);
  }
  database->execute(kDeleteHashtags);
  transaction.commit();
  return gone;
}

bool Tombstones::holds(Forgettable kind, std::string_view value) {
  const Connection::Use database(*connection_);
  return has_tombstone(*database, kind, value);
}

TombstoneSet Tombstones::all() {
  const Connection::Use database(*connection_);
  const Snapshot snapshot(*database);
  auto salt = salt_of(*database);
  std::unordered_set<std::string> names;
  auto rows = database->query(kSelectTombstoneNames);
  while (rows.step()) names.insert(rows.text(0));
  return {std::move(salt), std::move(names)};
}

std::string Tombstones::pending() {
  const Connection::Use database(*connection_);
  return note_body(*database, kPendingNote);
}

void Tombstones::finish(std::string_view pending) {
  const Connection::Use database(*connection_);
  database->query(kDropPending, kPendingNote, pending).step();
}

}  // namespace reeltag::catalog
