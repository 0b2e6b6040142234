// Reading the blobs of a store one by one, and what of them the home still needs. Functions: any thread. Failures
// throw.
//
//   const auto references = references_of(home);
//   for (const auto& blob : store.list("")) if (references.use_of(blob.key) == Use::none) ...
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "reeltag/base/hash.hpp"
#include "reeltag/retention.hpp"

namespace reeltag::retention {

// foreign: under a name that reeltag does not give.
enum class Use { needed, none, foreign };

// What the catalog and the frozen datasets refer to. Runs refer to their dataset.
struct BlobReferences {
  struct Row {
    std::string video, key;
    std::int64_t size_bytes = 0;
  };
  std::vector<Row> rows;  // of the catalog, by video
  std::unordered_set<std::string> keys;
  std::unordered_set<std::string> videos;

  // videos/<id>.<ending>: where a row or a dataset has that key. features/<extractor>/<id>.f32: where it has that
  // video. features/<extractor>/seconds, a few bytes: always.
  [[nodiscard]] Use use_of(std::string_view key) const;
};
// Throws for a dataset that cannot be read: what it needs is not known then.
BlobReferences references_of(const Home& home);

// The SHA-256 that a blob's name promises: of videos/<sha256>.mp4. Empty where it promises none.
std::string promised_digest(std::string_view key);

// The SHA-256 of a blob, in hexadecimal digits, without holding all of it; also hands its bytes on.
std::string digest_of(store::Store& store, const store::Blob& blob,
                      const std::function<void(std::string_view piece)>& sink = nullptr);

// Calls work(0) ... work(count - 1) from a few threads, because most of the time is waiting. The first Exception ends
// it and is thrown; so does a signal (interrupted).
void for_each_of(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace reeltag::retention
