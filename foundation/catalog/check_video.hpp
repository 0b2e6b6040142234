// Validates rows before they are stored, by rules common to all databases. Private to the catalog. Functions; any
// thread.
#pragma once

#include "reeltag/catalog.hpp"

namespace reeltag::catalog {

// Throws invalid_argument naming the video and the field. The functions below do the same for their argument.
void check_video(const Video& video);

// The recorded facts of a post.
void check_post(const Post& post);

void check_note(const Note& note);
void check_fingerprint(const FingerprintRow& fingerprint_row);
void check_tombstone(const Tombstone& tombstone);
// A row of any kind.
void check_row(const Row& row);

// Throws invalid_argument unless text is UTF-8 without NUL.
void check_text(std::string_view text, const std::string& what);

// Texts that are looked up (hashtags, names) have an index, and PostgreSQL limits the length of indexed texts. Throws
// invalid_argument for more than 1000 bytes.
void check_key(std::string_view text, const std::string& what);

}  // namespace reeltag::catalog
