// Exporting all rows and restoring them.
#include "check_video.hpp"
#include "chunks.hpp"
#include "connection.hpp"
#include "reeltag/catalog.hpp"
#include "sql_rows.hpp"
#include "table_rows.hpp"

namespace reeltag::catalog {
namespace {

const std::string kSelectFingerprints =
    "SELECT v.id, f.frames, f.cluster_name FROM fingerprint f JOIN video v ON v.row_no = f.video_row ORDER BY v.row_no";
const std::string kSelectNotes = "SELECT name, body FROM note ORDER BY name";
const std::string kSelectTombstones = "SELECT kind, name, made FROM tombstone ORDER BY kind, name";

const std::string kRestoreFingerprint =
    "INSERT INTO fingerprint (video_row, frames, cluster_name) SELECT row_no, $2, $3 FROM video WHERE id = $1 "
    "ON CONFLICT (video_row) DO NOTHING RETURNING video_row";
const std::string kRestorePosts =
    "INSERT INTO post (site, id, source, video, outcome, round_no, author, caption, hashtags, created, attributes, "
    "seen) VALUES ";
const std::string kLeavePosts = " ON CONFLICT (site, id) DO NOTHING RETURNING id";
const std::string kRestoreNote =
    "INSERT INTO note (name, body) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING name";
const std::string kRestoreTombstone =
    "INSERT INTO tombstone (kind, name, made) VALUES ($1, $2, $3) ON CONFLICT (kind, name) DO NOTHING RETURNING name";

template <class Kind>
std::vector<Kind> of_kind(std::span<const Row> rows) {
  std::vector<Kind> found;
  for (const auto& row : rows) {
    if (const auto* one = std::get_if<Kind>(&row)) found.push_back(*one);
  }
  return found;
}

// Files exported before migration 6 contain the outcome's old name.
std::string_view current_outcome(std::string_view outcome) {
  return outcome == "described" ? "metadata_only" : outcome;
}

std::int64_t restore_posts(Database& database, std::span<const Post> posts) {
  constexpr std::size_t kColumns = 12;
  const bool all_welcome = posts.empty() || salt_of(database).empty();
  std::vector<const Post*> welcome;
  for (const auto& post : posts) {
    if (all_welcome || !is_forgotten(database, nullptr, &post)) welcome.push_back(&post);
  }
  std::int64_t stored = 0;
  in_chunks(std::span<const Post* const>(welcome), [&](std::span<const Post* const> chunk) {
    auto insert = database.query(kRestorePosts + rows_text(chunk.size(), kColumns) + kLeavePosts);
    int n = 0;
    const auto bind = [&](const auto&... values) { (insert.bind(++n, values), ...); };
    for (const auto* p : chunk) {
      bind(p->site, p->id, p->source, p->video, current_outcome(p->outcome), p->round, p->author, p->caption,
           text_of_list(p->hashtags), p->created, p->attributes, p->seen);
    }
    while (insert.step()) ++stored;
  });
  return stored;
}

// With a different salt the tombstones of one of the two catalogs could not be checked.
bool restore_note(Database& database, const Note& note) {
  if (note.name == kSaltNote) {
    const auto ours = salt_of(database);
    if (!ours.empty() && ours != note.body) {
      throw Exception(
          Code::invalid_argument,
          "this catalog and the one that the rows come from have both forgotten something, each with a salt "
          "of its own, and cannot be joined with their tombstones; import into an empty catalog, or rows "
          "that were exported without secrets");
    }
  }
  return database.query(kRestoreNote, note.name, note.body).step();
}

}  // namespace

void Catalog::each_row(const std::function<void(const Row&)>& visit) {
  const Connection::Use database(*connection_);
  const Snapshot snapshot(*database);
  {
    auto rows = database->stream_with(kSelectVideos + "ORDER BY v.row_no, l.position", {});
    each_video(rows, [&](const Video& video) { visit(video); });
  }
  {
    auto rows = database->stream_with(kSelectFingerprints, {});
    while (rows.step()) {
      visit(FingerprintRow{.video = rows.text(0), .fingerprint = rows.text(1), .cluster = rows.text(2)});
    }
  }
  {
    auto rows = database->stream_with(kSelectPosts + "ORDER BY site, id", {});
    while (rows.step()) visit(post_of(rows));
  }
  {
    auto rows = database->stream_with(kSelectNotes, {});
    while (rows.step()) visit(Note{.name = rows.text(0), .body = rows.text(1)});
  }
  auto rows = database->stream_with(kSelectTombstones, {});
  while (rows.step()) visit(Tombstone{.kind = rows.text(0), .name = rows.text(1), .made = rows.integer(2)});
}

Counts Catalog::restore(std::span<const Row> rows) {
  for (const auto& row : rows) check_row(row);
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  Counts stored;
  for (const auto answer : add_videos(*database, of_kind<Video>(rows), std::nullopt)) {
    stored.videos += answer == AddOutcome::added ? 1 : 0;
  }
  const auto one = [](Query query) { return query.step() ? 1 : 0; };
  for (const auto& fingerprint_row : of_kind<FingerprintRow>(rows)) {
    stored.fingerprints += one(database->query(kRestoreFingerprint, fingerprint_row.video, fingerprint_row.fingerprint,
                                               fingerprint_row.cluster));
  }
  stored.posts = restore_posts(*database, of_kind<Post>(rows));
  for (const auto& note : of_kind<Note>(rows)) stored.notes += restore_note(*database, note) ? 1 : 0;
  for (const auto& tombstone : of_kind<Tombstone>(rows)) {
    stored.tombstones += one(database->query(kRestoreTombstone, tombstone.kind, tombstone.name, tombstone.made));
  }
  transaction.commit();
  return stored;
}

}  // namespace reeltag::catalog
