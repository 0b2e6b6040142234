#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "blobs.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/retention.hpp"

namespace reeltag::retention {
namespace {

bool has_bytes_of(store::Store& store, const BlobReferences::Row& row, const store::Blob& blob) {
  try {
    return digest_of(store, blob) == row.video;
  } catch (const Exception& e) {
    if (e.code() != Code::corrupt) throw;  // the object store has noticed it too
    return false;
  }
}

// What is wrong with the blob of a row, if anything.
std::optional<BadBlob> check_row(store::Store& store, const BlobReferences::Row& row,
                                 const std::optional<store::Blob>& blob, bool deep) {
  const auto bad = [&](const char* what, Code code, std::string message) {
    return BadBlob{row.video, row.key, what, {code, std::move(message)}};
  };
  if (!blob) {
    return bad("missing", Code::not_found, "the store has no " + row.key + "; import the file again to put it back");
  }
  if (row.size_bytes > 0 && blob->size_bytes != row.size_bytes) {
    return bad("size", Code::corrupt,
               row.key + " has " + std::to_string(blob->size_bytes) + " bytes instead of " +
                   std::to_string(row.size_bytes) + "; import the file again to replace it");
  }
  if (deep && !has_bytes_of(store, row, *blob)) {
    return bad("bytes", Code::corrupt,
               row.key + " holds other bytes; delete it from the store and import the file again");
  }
  return std::nullopt;
}

}  // namespace

VerifyReport verify_store(const Home& home, store::Store& store, bool deep) {
  VerifyReport report;
  // Rows before blobs: a collection stores bytes before their row.
  const auto references = references_of(home);
  std::unordered_map<std::string, store::Blob> blobs;
  for (auto& blob : store.list("")) {
    const auto use = references.use_of(blob.key);
    if (use == Use::none) report.orphans.push_back(blob);
    if (use == Use::foreign) report.foreign.push_back(blob);
    auto key = blob.key;
    blobs.emplace(std::move(key), std::move(blob));
  }
  report.unfinished = store.unfinished();
  report.videos = static_cast<std::int64_t>(references.rows.size());
  Progress progress("verify", report.videos);
  std::mutex mutex;
  for_each_of(references.rows.size(), [&](std::size_t i) {
    const auto& row = references.rows[i];
    const auto found = blobs.find(row.key);
    const auto blob = found != blobs.end() ? std::optional(found->second) : store.stat(row.key);
    if (auto bad = check_row(store, row, blob, deep)) {
      const std::lock_guard lock(mutex);
      report.bad.push_back(std::move(*bad));
    }
    progress.advance();
  });
  std::sort(report.bad.begin(), report.bad.end(), [](const BadBlob& a, const BadBlob& b) { return a.video < b.video; });
  return report;
}

}  // namespace reeltag::retention
