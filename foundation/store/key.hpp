// Validates keys. The rules are the intersection of the names that a local folder and an object store allow, so that a
// store can be moved between them. Functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace reeltag::store {

// S3 allows 1024 bytes for prefix and key together; the rest is reserved for the prefix of the store's URL.
inline constexpr std::size_t kMaxKeyBytes = 900;
// NAME_MAX of Linux file systems.
inline constexpr std::size_t kMaxNameBytes = 255;
// Folder below the root that holds partly written blobs; no key may start with it.
inline constexpr std::string_view kTemporaryFolder = ".reeltag-tmp";

// Throws invalid_argument, naming the key and the violated rule.
void check_key(std::string_view key);

// A prefix is the beginning of a key: its last name may be incomplete or empty, and the whole prefix may be empty.
void check_prefix(std::string_view prefix);

}  // namespace reeltag::store
