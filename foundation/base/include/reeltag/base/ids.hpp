// Generates ids: from the time for runs and rounds, from the content for immutable things. Any thread.
//
//   new_id("")          // "20261122-193005-ab12cd"
//   new_id("round")     // "round-20261122-193005-ab12d0"
//   content_id(bytes)   // "ba7816bf8f01cfea"
#pragma once

#include <string>
#include <string_view>

#include "reeltag/base/hash.hpp"

namespace reeltag {

// UTC date and time plus 24 random bits. Ids of one prefix sort by time; ids of one process strictly ascend, even
// within a second. Throws invalid_argument unless the prefix consists of letters, digits, - and _.
std::string new_id(std::string_view prefix);

// The first 16 hexadecimal digits of the SHA-256: 64 bits, so among a billion ids the chance of a collision is 3 %. For
// names that people type; use the whole digest where a collision would lose data.
std::string content_id(std::string_view bytes);
std::string content_id(const Sha256Digest& digest);

}  // namespace reeltag
