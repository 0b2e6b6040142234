// Which keys a store accepts. The rules are the intersection of what a local folder and an object store can name, so
// that a store can move from one to the other.
#pragma once

#include <cstddef>
#include <string_view>

namespace reeltag::store {

// S3 allows 1024 bytes for prefix and key together; the rest is left to the prefix of the store's URL.
inline constexpr std::size_t kMaxKeyBytes = 900;
// NAME_MAX of Linux file systems.
inline constexpr std::size_t kMaxNameBytes = 255;
// First name of the folder below the root that holds half-written blobs; no key may start with it.
inline constexpr std::string_view kTemporaryFolder = ".reeltag-tmp";

// Throws invalid_argument, naming the key and the rule it breaks.
void check_key(std::string_view key);

// A prefix is the beginning of a key: its last name may be cut short or empty, and it may be empty altogether.
void check_prefix(std::string_view prefix);

}  // namespace reeltag::store
