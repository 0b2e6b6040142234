// Operations on rows within the caller's transaction, for changes that span tables. Private to the catalog; one thread
// per database. Each is defined beside its table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/catalog/rows.hpp"
#include "sql_types.hpp"

namespace reeltag::catalog {

// added: the time to store; unset: each video keeps its own. Forgotten videos are not stored.
std::vector<AddOutcome> add_videos(Database& database, std::span<const Video> videos,
                                   std::optional<std::int64_t> added);
void put_post(Database& database, const Post& post, std::int64_t seen);
void put_note(Database& database, const Note& note);
// The body of a note; empty if there is none.
std::string note_body(Database& database, std::string_view name);
void put_fingerprint(Database& database, std::string_view video, std::string_view fingerprint);

// The salt of the tombstones; empty if nothing was ever forgotten.
std::string salt_of(Database& database);
bool has_tombstone(Database& database, Forgettable kind, std::string_view value);
// True for a forgotten video or post, or one by a forgotten author. Either may be null.
bool is_forgotten(Database& database, const Video* video, const Post* post);

}  // namespace reeltag::catalog
