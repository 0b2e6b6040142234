// Catalog: the database of collected videos with their metadata, captions and typed hashtags.
// Thread-safe, and several processes may use one catalog at once. Every call is one transaction: after it returns the
// change survives a crash; if it throws nothing changed. Failures throw Exception: invalid_argument (a row that
// cannot be stored), unavailable (locked for too long, disk full, no server), corrupt, permission_denied, unsupported.
// The interface hides the database (SQLite, PostgreSQL); a Catalog shares ownership of its connection.
//
//   auto catalog = catalog::open(home / "catalog.db");
//   if (catalog->videos.add(video) == catalog::AddOutcome::duplicate) ...
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/catalog/tables.hpp"

namespace reeltag::catalog {

class Catalog {
 public:
  explicit Catalog(std::shared_ptr<Connection> connection);

  Videos videos;
  Posts posts;
  Notes notes;
  Fingerprints fingerprints;
  Tombstones tombstones;

  // Stores all changes or none, in one transaction. Returns the video's outcome; duplicate if there is no video. If the
  // video, its author or the post is forgotten, stores only the notes.
  AddOutcome record(const ChangeSet& record);
  // Records many in one transaction, much faster. Returns one outcome per change set, in order.
  std::vector<AddOutcome> record_all(std::span<const ChangeSet> records);

  // Visits all rows from one snapshot: videos and fingerprints in the order in which the videos were added, posts by
  // site and id, notes by name, tombstones. Rules as in tables.hpp.
  void each_row(const std::function<void(const Row&)>& visit);
  // Stores rows from each_row() unchanged, including their times, in one transaction; returns how many were stored.
  // Existing rows stay, except that a video gets hashtags that it lacks; what is forgotten here is not stored. A
  // fingerprint is stored only with its video. Throws invalid_argument for a row that breaks a rule of rows.hpp, and
  // for the salt of another catalog if this one has tombstones made with its own.
  Counts restore(std::span<const Row> rows);

  // Makes deleted data unreadable in the database's files; a server's write-ahead log and backups are its
  // administrator's responsibility. Takes about a second per 100 MB. Throws unavailable if another process that reads
  // or writes prevents it.
  void compact();

 private:
  std::shared_ptr<Connection> connection_;
};

// As connect().
std::unique_ptr<Catalog> open(const std::string& location, const Options& options = {});

}  // namespace reeltag::catalog
