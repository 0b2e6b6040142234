#include "blobs.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "reeltag/base/hash.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/dataset.hpp"

namespace reeltag::retention {
namespace {

constexpr std::int64_t kPieceBytes = 8LL << 20;
constexpr std::size_t kThreads = 4;
constexpr std::string_view kVideos = "videos/", kFeatures = "features/";

std::string_view last_name(std::string_view key) { return key.substr(key.rfind('/') + 1); }

}  // namespace

Use BlobReferences::use_of(std::string_view key) const {
  if (keys.contains(std::string(key))) return Use::needed;
  if (key.starts_with(kVideos)) return Use::none;
  if (!key.starts_with(kFeatures)) return Use::foreign;
  const auto name = last_name(key);
  if (name == "seconds") return Use::needed;
  return videos.contains(std::string(name.substr(0, name.find('.')))) ? Use::needed : Use::none;
}

BlobReferences references_of(const Home& home) {
  BlobReferences needs;
  home.open_catalog()->videos.each({}, [&](const catalog::Video& v) {
    needs.rows.push_back({v.id, v.key, v.size_bytes});
    needs.keys.insert(v.key);
    needs.videos.insert(v.id);
  });
  const auto root = home.folder / "datasets";
  for (const auto& summary : dataset::list(root)) {
    if (!summary) throw Exception(summary.error());
    const auto set = dataset::load(root, summary->id);
    for (const auto& item : set.items) {
      needs.keys.insert(item.key);
      needs.videos.insert(item.video);
    }
  }
  return needs;
}

std::string promised_digest(std::string_view key) {
  if (!key.starts_with(kVideos)) return {};
  const auto name = last_name(key);
  std::string digest(name.substr(0, name.find('.')));
  const bool is_digest = is_hex(digest, 64);
  return is_digest ? digest : "";
}

std::string digest_of(store::Store& store, const store::Blob& blob, const std::function<void(std::string_view)>& sink) {
  Sha256 sha256;
  for (std::int64_t at = 0; at < blob.size_bytes;) {
    const auto piece = store.get_range(blob.key, at, std::min(kPieceBytes, blob.size_bytes - at));
    if (piece.empty()) break;  // it has become shorter: another digest
    sha256.update(piece);
    if (sink) sink(piece);
    at += static_cast<std::int64_t>(piece.size());
  }
  return hex(sha256.finish());
}

void for_each_of(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> ended{false};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      for (auto i = next++; i < count && !ended; i = next++) {
        stop::throw_if_requested();
        work(i);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      ended = true;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min(count, kThreads); ++i) threads.emplace_back(run);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace reeltag::retention
