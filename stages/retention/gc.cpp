#include <chrono>

#include "blobs.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/retention.hpp"

namespace reeltag::retention {
namespace {

constexpr double kHour = 3600.0;  // seconds

// The catalog of another home refers to none of the videos either, and it would cost all of them.
void check_share(const Home& home, const store::Store& store, std::size_t videos, std::size_t unreferenced) {
  if (unreferenced * 2 <= videos) return;
  throw Exception(Code::invalid_config,
                  "store gc: nothing here refers to " + std::to_string(unreferenced) + " of the " +
                      std::to_string(videos) + " videos in " + store.url() + ". Is " + home.folder.string() +
                      " the home whose store this is? Look with --dry-run; --everything removes them");
}

// Asks the catalog again: an import may have found the blob there a moment ago. Imports write old blobs anew before
// they add their row.
bool remove_blob(store::Store& store, const store::Blob& blob, catalog::Catalog& catalog) {
  const auto digest = promised_digest(blob.key);
  if (!digest.empty() && catalog.videos.get(digest)) return false;
  const auto now = store.stat(blob.key);
  return now && now->modified == blob.modified && store.remove(blob.key);
}

}  // namespace

GcReport collect_garbage(const Home& home, store::Store& store, const GcOptions& options) {
  const auto oldest = unix_seconds() - static_cast<std::int64_t>(options.older_than * kHour);
  GcReport report;
  // Blobs before rows: what gets its row in between is referenced by then.
  const auto blobs = store.list("");
  const auto references = references_of(home);
  std::vector<store::Blob> unreferenced;
  std::size_t videos = 0, lost = 0;
  for (const auto& blob : blobs) {
    const bool is_video = !promised_digest(blob.key).empty();
    videos += is_video ? 1 : 0;
    if (references.use_of(blob.key) != Use::none) continue;
    lost += is_video ? 1 : 0;
    if (blob.modified > oldest) {
      ++report.young;
    } else {
      unreferenced.push_back(blob);
    }
  }
  if (!options.everything && !options.dry_run) check_share(home, store, videos, lost);
  Progress progress("gc", static_cast<std::int64_t>(unreferenced.size()));
  const auto catalog = home.open_catalog();
  for (const auto& blob : unreferenced) {
    stop::throw_if_requested();
    if (options.dry_run || remove_blob(store, blob, *catalog)) {
      report.removed.push_back(blob);
      report.bytes += blob.size_bytes;
    }
    progress.advance();
  }
  for (const auto& one : store.unfinished()) {
    if (one.begun > oldest) continue;
    if (options.dry_run || store.discard(one)) report.unfinished.push_back(one);
  }
  report.copies =
      store.drop_copies(std::chrono::seconds(static_cast<std::int64_t>(options.older_than * kHour)), options.dry_run);
  return report;
}

}  // namespace reeltag::retention
