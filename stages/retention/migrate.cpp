#include <fstream>
#include <mutex>
#include <unordered_map>

#include "blobs.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/retention.hpp"

namespace reeltag::retention {
namespace {

// Copies a blob to a file on this machine, because it may change or be removed while it is sent. Returns its digest.
std::string fetch_blob(store::Store& from, const store::Blob& blob, const std::filesystem::path& file) {
  std::ofstream out(file, std::ios::binary);
  auto digest = digest_of(
      from, blob, [&](std::string_view piece) { out.write(piece.data(), static_cast<std::streamsize>(piece.size())); });
  out.close();
  if (!out) throw Exception(Code::unavailable, "cannot write " + file.string() + ": is the disk full?");
  return digest;
}

void copy_blob(store::Store& from, store::Store& to, const store::Blob& blob) {
  const TemporaryFolder folder("reeltag-migrate");
  const auto file = folder.path() / "blob";
  const auto digest = fetch_blob(from, blob, file);
  const auto promised = promised_digest(blob.key);
  if (!promised.empty() && digest != promised) {
    throw Exception(Code::corrupt, blob.key + " holds other bytes than its name says; it is not copied");
  }
  to.put_file(blob.key, file);
  if (digest_of(to, blob) != digest) {
    throw Exception(Code::corrupt, blob.key + " reads back differently from " + to.url() + "; run it again");
  }
}

// The fault of one blob; a store that does not answer ends the run.
bool concerns_one_blob(Code code) {
  return code == Code::not_found || code == Code::corrupt || code == Code::invalid_argument;
}

}  // namespace

MigrateReport migrate_store(store::Store& from, store::Store& to, bool deep) {
  if (from.url() == to.url()) {
    throw Exception(Code::invalid_argument, "store migrate: " + to.url() + " is the store itself; name another one");
  }
  std::unordered_map<std::string, std::int64_t> there;
  for (const auto& blob : to.list("")) there.emplace(blob.key, blob.size_bytes);
  const auto blobs = from.list("");
  MigrateReport report{.blobs = static_cast<std::int64_t>(blobs.size())};
  Progress progress("migrate", report.blobs);
  std::mutex mutex;
  for_each_of(blobs.size(), [&](std::size_t i) {
    const auto& blob = blobs[i];
    try {
      const auto found = there.find(blob.key);
      const bool same_size = found != there.end() && found->second == blob.size_bytes;
      const bool is_there = same_size && (!deep || digest_of(to, blob) == digest_of(from, blob));
      if (!is_there) copy_blob(from, to, blob);
      const std::lock_guard lock(mutex);
      (is_there ? report.already_there : report.copied) += 1;
      report.bytes += is_there ? 0 : blob.size_bytes;
    } catch (const Exception& e) {
      if (!concerns_one_blob(e.code())) throw;
      const std::lock_guard lock(mutex);
      report.failed.emplace_back(blob.key, e.error());
    }
    const std::lock_guard lock(mutex);
    progress.advance(1, {{"bytes", report.bytes}});
  });
  return report;
}

}  // namespace reeltag::retention
