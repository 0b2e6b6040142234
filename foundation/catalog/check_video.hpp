// What a video must fulfil to be stored, in words common to all databases. Private to the catalog.
#pragma once

#include "reeltag/catalog.hpp"

namespace reeltag::catalog {

// Throws invalid_argument naming the video and the field.
void check_video(const Video& video);

// The same for what is recorded about a post.
void check_post(const Post& post);

void check_note(const Note& note);
void check_fingerprint(const FingerprintRow& fingerprint_row);
void check_tombstone(const Tombstone& tombstone);
// Any of them.
void check_row(const Row& row);

// Throws invalid_argument unless text is UTF-8 without NUL.
void check_text(std::string_view text, const std::string& what);

// What is found by its text, hashtags and names, has an index, and PostgreSQL's cannot hold texts of any length. Throws
// invalid_argument for more than 1000 bytes.
void check_key(std::string_view text, const std::string& what);

}  // namespace reeltag::catalog
