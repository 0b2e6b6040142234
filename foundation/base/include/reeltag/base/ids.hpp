// Names for things: by time for runs and rounds, by content for what never changes. Any thread.
//
//   new_id("")          // "20261122-193005-ab12cd"
//   new_id("round")     // "round-20261122-193005-ab12d0"
//   content_id(bytes)   // "ba7816bf8f01cfea"
#pragma once

#include <string>
#include <string_view>

#include "reeltag/base/hash.hpp"

namespace reeltag {

// UTC date and time and 24 random bits. Ids of one prefix sort by time; those of one process are strictly ascending,
// also within a second. Throws invalid_argument unless the prefix is of letters, digits, - and _.
std::string new_id(std::string_view prefix);

// The first 16 hexadecimal digits of the SHA-256: 64 bits, so a billion things collide with chance 3 %. For names that
// people type; where a collision would lose data the whole digest is used.
std::string content_id(std::string_view bytes);
std::string content_id(const Sha256Digest& digest);

}  // namespace reeltag
