// A file becomes a blob of the store: what import, collect and serve do alike. Any thread, different files. What is
// wrong with the file comes back as Error (not_found, not_a_video, decode_failed, too_large ...); a lost store or
// catalog throws.
//
//   auto stored = ingest_file(file, Origin::untrusted, *catalog, *store, limits);
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "reeltag/catalog.hpp"
#include "reeltag/media.hpp"
#include "reeltag/store.hpp"

namespace reeltag::ingest {

// What is found out about a file; its bytes are in the store by then.
struct IngestedVideo {
  std::string id, key;
  media::Probe probe;                           // empty where the catalog has the video already
  std::optional<std::string> fingerprint = {};  // unset likewise
  bool forgotten = false;                       // its bytes must not come back: nothing is stored, nothing else is set
};

// Files from outside are decoded in a process of their own.
enum class Origin { local, untrusted };

// Checks that the file is a video whose middle frame decodes, and stores it as videos/<sha256>.<ending>.
Result<IngestedVideo> ingest_file(const std::filesystem::path& file, Origin origin, catalog::Catalog& catalog,
                                  store::Store& store, const media::Limits& limits);

// Takes the bytes away again where the catalog refused them (AddOutcome::forgotten) and has them from nobody else.
void undo_ingest(const IngestedVideo& stored, catalog::Catalog& catalog, store::Store& store);

// The row with the facts of the file; what the source says of it is still to be filled in.
catalog::Video video_row(const IngestedVideo& stored);

}  // namespace reeltag::ingest
