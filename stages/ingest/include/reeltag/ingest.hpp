// Checks a video file and stores its bytes; shared by import, collect and serve. Any thread, on different files; the
// catalog and store must outlive the call. A problem with the file is returned as Error (not_found, not_a_video,
// decode_failed, too_large ...); a failing store or catalog throws.
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

// Facts about a file whose bytes are in the store.
struct IngestedVideo {
  std::string id, key;
  media::Probe probe;                           // empty if the catalog already has the video
  std::optional<std::string> fingerprint = {};  // unset in that case, too
  bool forgotten = false;                       // a tombstone forbids it: nothing is stored, nothing else is set
};

// Untrusted files are decoded in a separate process.
enum class Origin { local, untrusted };

// Checks that the file is a video whose middle frame decodes, and stores it as videos/<sha256>.<extension>.
Result<IngestedVideo> ingest_file(const std::filesystem::path& file, Origin origin, catalog::Catalog& catalog,
                                  store::Store& store, const media::Limits& limits);

// Removes the bytes again if the catalog refused them (AddOutcome::forgotten) and no other row has them.
void undo_ingest(const IngestedVideo& stored, catalog::Catalog& catalog, store::Store& store);

// Returns a catalog row with the file's facts; the caller adds what the source says about it.
catalog::Video video_row(const IngestedVideo& stored);

}  // namespace reeltag::ingest
