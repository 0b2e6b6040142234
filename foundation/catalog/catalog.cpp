#include "reeltag/catalog.hpp"

#include "check_video.hpp"
#include "connection.hpp"
#include "reeltag/base/time.hpp"
#include "table_rows.hpp"

namespace reeltag::catalog {
namespace {

void check_change_set(const ChangeSet& record) {
  if (record.video) check_video(*record.video);
  if (record.post) check_post(*record.post);
  if (record.fingerprint) check_text(*record.fingerprint, "a fingerprint");
  for (const auto& note : record.notes) check_note(note);
}

// Within a transaction.
AddOutcome record_change_set(Database& database, const ChangeSet& record, std::int64_t now) {
  const bool forgotten =
      is_forgotten(database, record.video ? &*record.video : nullptr, record.post ? &*record.post : nullptr);
  auto added = forgotten ? AddOutcome::forgotten : AddOutcome::duplicate;
  if (record.video && !forgotten) {
    added = add_videos(database, {&*record.video, 1}, now).front();
    if (record.fingerprint) put_fingerprint(database, record.video->id, *record.fingerprint);
  }
  if (record.post && !forgotten) put_post(database, *record.post, now);
  for (const auto& note : record.notes) put_note(database, note);
  return added;
}

}  // namespace

Catalog::Catalog(std::shared_ptr<Connection> connection)
    : videos(connection),
      posts(connection),
      notes(connection),
      fingerprints(connection),
      tombstones(connection),
      connection_(std::move(connection)) {}

std::unique_ptr<Catalog> open(const std::string& location, const Options& options) {
  return std::make_unique<Catalog>(connect(location, options));
}

AddOutcome Catalog::record(const ChangeSet& record) { return record_all({&record, 1}).front(); }

std::vector<AddOutcome> Catalog::record_all(std::span<const ChangeSet> records) {
  for (const auto& record : records) check_change_set(record);
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const auto now = unix_seconds();
  std::vector<AddOutcome> answers;
  answers.reserve(records.size());
  for (const auto& record : records) answers.push_back(record_change_set(*database, record, now));
  transaction.commit();
  return answers;
}

void Catalog::compact() {
  const Connection::Use database(*connection_);
  database->compact();
}

}  // namespace reeltag::catalog
