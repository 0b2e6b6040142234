// Catalog queries: posts and notes.
#include "check_video.hpp"
#include "reeltag/base/time.hpp"
#include "sql_catalog.hpp"
#include "sql_rows.hpp"

namespace reeltag::catalog {
namespace {

const std::string kReplacePost =
    "INSERT INTO post (site, id, source, video, outcome, round_no, author, caption, hashtags, created, attributes, "
    "seen) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
    "ON CONFLICT (site, id) DO UPDATE SET source = excluded.source, video = excluded.video, outcome = "
    "excluded.outcome, "
    "round_no = excluded.round_no, author = excluded.author, caption = excluded.caption, hashtags = excluded.hashtags, "
    "created = excluded.created, attributes = excluded.attributes, seen = excluded.seen";
const std::string kSelectPost = kSelectPosts + "WHERE site = $1 AND id = $2";
const std::string kSelectAllPosts = kSelectPosts + "ORDER BY site, id";
const std::string kCountPosts = "SELECT outcome, COUNT(*) FROM post WHERE site = $1 GROUP BY outcome ORDER BY outcome";
const std::string kReplaceNote =
    "INSERT INTO note (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body";
const std::string kSelectNote = "SELECT body FROM note WHERE name = $1";

void check_change_set(const ChangeSet& record) {
  if (record.video) check_video(*record.video);
  if (record.post) check_post(*record.post);
  if (record.fingerprint) check_text(*record.fingerprint, "a fingerprint");
  for (const auto& note : record.notes) check_note(note);
}

}  // namespace

AddOutcome SqlCatalog::record(const ChangeSet& record) { return record_all({&record, 1}).front(); }

std::vector<AddOutcome> SqlCatalog::record_all(std::span<const ChangeSet> records) {
  for (const auto& record : records) check_change_set(record);
  const Turn turn(*this);
  Transaction transaction(database_);
  const auto now = unix_seconds();
  std::vector<AddOutcome> answers;
  answers.reserve(records.size());
  for (const auto& record : records) answers.push_back(record_change_set(record, now));
  transaction.commit();
  return answers;
}

// Within a transaction.
AddOutcome SqlCatalog::record_change_set(const ChangeSet& record, std::int64_t now) {
  const bool out = must_stay_out(record.video ? &*record.video : nullptr, record.post ? &*record.post : nullptr);
  auto added = out ? AddOutcome::forgotten : AddOutcome::duplicate;
  if (record.video && !out) {
    added = add_many({&*record.video, 1}, now).front();
    if (record.fingerprint) put_fingerprint(record.video->id, *record.fingerprint);
  }
  if (record.post && !out) {
    const auto& p = *record.post;
    database_
        .query(kReplacePost, p.site, p.id, p.source, p.video, p.outcome, p.round, p.author, p.caption,
               text_of_list(p.hashtags), p.created, p.attributes, now)
        .step();
  }
  for (const auto& note : record.notes) database_.query(kReplaceNote, note.name, note.body).step();
  return added;
}

std::optional<Post> SqlCatalog::post(std::string_view site, std::string_view id) {
  check_text(site, "the site to look for");
  check_text(id, "the id to look for");
  const Turn turn(*this);
  auto row = database_.query(kSelectPost, site, id);
  if (!row.step()) return std::nullopt;
  return post_of(row);
}

void SqlCatalog::each_post(const std::function<void(const Post&)>& visit) {
  const Turn turn(*this);
  auto rows = database_.query(kSelectAllPosts);
  while (rows.step()) visit(post_of(rows));
}

std::vector<std::pair<std::string, std::int64_t>> SqlCatalog::post_counts(std::string_view site) {
  check_text(site, "the site to look for");
  const Turn turn(*this);
  auto rows = database_.query(kCountPosts, site);
  std::vector<std::pair<std::string, std::int64_t>> counts;
  while (rows.step()) counts.emplace_back(rows.text(0), rows.integer(1));
  return counts;
}

std::optional<std::string> SqlCatalog::note(std::string_view name) {
  check_text(name, "the note to look for");
  const Turn turn(*this);
  auto row = database_.query(kSelectNote, name);
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

}  // namespace reeltag::catalog
