// The table of notes.
#include "check_video.hpp"
#include "connection.hpp"
#include "reeltag/catalog/tables.hpp"
#include "table_rows.hpp"

namespace reeltag::catalog {
namespace {

const std::string kReplaceNote =
    "INSERT INTO note (name, body) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body";
const std::string kSelectNote = "SELECT body FROM note WHERE name = $1";
// Compares the start of the name, because patterns treat some characters specially and case differs by database.
const std::string kListNotes =
    "SELECT name, body FROM note WHERE SUBSTR(name, 1, LENGTH(CAST($1 AS TEXT))) = $1 ORDER BY name";

}  // namespace

void put_note(Database& database, const Note& note) { database.query(kReplaceNote, note.name, note.body).step(); }

std::string note_body(Database& database, std::string_view name) {
  auto row = database.query(kSelectNote, name);
  return row.step() ? row.text(0) : std::string();
}

Notes::Notes(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

std::optional<std::string> Notes::get(std::string_view name) {
  check_text(name, "the note to look for");
  const Connection::Use database(*connection_);
  auto row = database->query(kSelectNote, name);
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

void Notes::put(const Note& note) {
  check_note(note);
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  put_note(*database, note);
  transaction.commit();
}

std::vector<Note> Notes::list(std::string_view prefix) {
  check_text(prefix, "the notes to look for");
  const Connection::Use database(*connection_);
  std::vector<Note> notes;
  auto rows = database->query(kListNotes, prefix);
  while (rows.step()) notes.push_back({.name = rows.text(0), .body = rows.text(1)});
  return notes;
}

}  // namespace reeltag::catalog
