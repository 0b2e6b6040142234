// Catalog queries: forgetting.
#include "reeltag/base/ids.hpp"
#include "reeltag/base/time.hpp"
#include "sql_catalog.hpp"
#include "tombstones.hpp"

namespace reeltag::catalog {
namespace {

const std::string kPendingNote = "forget/pending";
const std::string kSelectNoteBody = "SELECT body FROM note WHERE name = $1";
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

}  // namespace

std::string SqlCatalog::text_of(std::string_view note) {
  auto row = database_.query(kSelectNoteBody, note);
  return row.step() ? row.text(0) : std::string();
}

// Empty if nothing was ever forgotten.
std::string SqlCatalog::salt() { return text_of(kSaltNote); }

bool SqlCatalog::has_tombstone(Forgettable kind, std::string_view value) {
  const auto salt = this->salt();
  if (salt.empty()) return false;
  return database_.query(kSelectTombstone, kind_name(kind), tombstone_name(salt, kind, value)).step();
}

bool SqlCatalog::must_stay_out(const Video* video, const Post* post) {
  if (salt().empty()) return false;
  const auto buried = [&](Forgettable kind, const std::string& value) {
    return !value.empty() && has_tombstone(kind, value);
  };
  if (video != nullptr && (buried(Forgettable::video, video->id) || buried(Forgettable::author, video->author) ||
                           buried(Forgettable::author, video->group))) {
    return true;
  }
  return post != nullptr && (buried(Forgettable::post, post_name(post->site, post->id)) ||
                             buried(Forgettable::author, post->author) || buried(Forgettable::video, post->video));
}

void SqlCatalog::bury(Forgettable kind, std::string_view value) {
  database_.query(kBury, kind_name(kind), tombstone_name(salt(), kind, value), unix_seconds()).step();
  if (kind != Forgettable::post) return;
  // The collector names post files by the id for single-site sources, by site and id for others.
  const auto [site, id] = parts_of(value);
  bury(Forgettable::download, content_id(id));
  bury(Forgettable::download, content_id(std::string(site) + "/" + std::string(id)));
}

std::vector<std::string> SqlCatalog::column(Query rows) {
  std::vector<std::string> values;
  while (rows.step()) values.push_back(rows.text(0));
  return values;
}

void SqlCatalog::take_out_posts(const std::vector<std::string>& posts, ForgetResult& gone) {
  for (const auto& post : posts) {
    bury(Forgettable::post, post);
    const auto [site, id] = parts_of(post);
    if (database_.query(kDeletePost, site, id).step()) gone.posts.push_back(post);
  }
}

void SqlCatalog::take_out(const std::string& video, ForgetResult& gone) {
  bury(Forgettable::video, video);
  if (database_.query(kDeleteVideo, video).step()) gone.videos.push_back(video);
  database_.query(kDeleteJobs, video).step();
  take_out_posts(column(database_.query(kPostsOfVideo, video)), gone);
}

ForgetResult SqlCatalog::forget(Forgettable kind, std::string_view value) {
  check_forgettable(kind, value);
  const Turn turn(*this);
  Transaction transaction(database_);
  if (salt().empty()) database_.query(kKeepSalt, kSaltNote, random_salt()).step();
  database_.query(kPutPending, kPendingNote, random_salt()).step();
  bury(kind, value);
  ForgetResult gone;
  if (kind == Forgettable::video) take_out(std::string(value), gone);
  if (kind == Forgettable::author) {
    for (const auto& video : column(database_.query(kVideosOfAuthor, value))) take_out(video, gone);
    take_out_posts(column(database_.query(kPostsOfAuthor, value)), gone);
  }
  if (kind == Forgettable::post) {
    const auto [site, id] = parts_of(value);
    const auto videos = column(database_.query(kVideosOfPost, site, id));
    take_out_posts({std::string(value)}, gone);
    for (const auto& video : videos) take_out(video, gone);
  }
  database_.execute(kDeleteHashtags);
  transaction.commit();
  return gone;
}

bool SqlCatalog::is_forgotten(Forgettable kind, std::string_view value) {
  const Turn turn(*this);
  return has_tombstone(kind, value);
}

Tombstones SqlCatalog::tombstones() {
  const Turn turn(*this);
  const Snapshot snapshot(database_);
  auto salt = this->salt();
  std::unordered_set<std::string> names;
  auto rows = database_.query(kSelectTombstoneNames);
  while (rows.step()) names.insert(rows.text(0));
  return {std::move(salt), std::move(names)};
}

std::string SqlCatalog::forgetting() {
  const Turn turn(*this);
  return text_of(kPendingNote);
}

void SqlCatalog::finish_forgetting(std::string_view pending) {
  const Turn turn(*this);
  database_.query(kDropPending, kPendingNote, pending).step();
}

void SqlCatalog::compact() {
  const Turn turn(*this);
  database_.compact();
}

}  // namespace reeltag::catalog
