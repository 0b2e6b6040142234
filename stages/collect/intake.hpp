// A file becomes a blob of the store: what import and collect do alike. Any thread, different files. What is wrong with
// the file comes back as Error (not_found, not_a_video, decode_failed, too_large ...); a lost store or catalog throws.
//
//   auto stored = take_in(file, Origin::outside, *catalog, *store, limits);
#pragma once

#include <filesystem>
#include <string>

#include "reeltag/catalog.hpp"
#include "reeltag/media.hpp"
#include "reeltag/store.hpp"

namespace reeltag::collect {

// What is found out about a file; its bytes are in the store by then.
struct Stored {
  std::string id, key;
  media::Probe probe;  // empty where the catalog has the video already
};

// Files from outside are decoded in a process of their own.
enum class Origin { local, outside };

// Checks that the file is a video whose middle frame decodes, and stores it as videos/<sha256>.<ending>.
Result<Stored> take_in(const std::filesystem::path& file, Origin origin, catalog::Catalog& catalog, store::Store& store,
                       const media::Limits& limits);

// The row with the facts of the file; what the source says of it is still to be filled in.
catalog::Video facts_of(const Stored& stored);

}  // namespace reeltag::collect
