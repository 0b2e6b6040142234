#include "reeltag/ingest.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <ctime>
#include <memory>
#include <system_error>
#include <utility>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/media/file_types.hpp"
#include "reeltag/media/fingerprint.hpp"

namespace reeltag::ingest {
namespace {

namespace fs = std::filesystem;

// Seconds: far below the age from which `store gc` removes blobs.
constexpr std::int64_t kSurelyYoung = 3600;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The file's own extension if it is a usual one, else one for the container.
std::string ending_of(const fs::path& file, const std::string& container) {
  if (media::has_video_ending(file)) return lower(file.extension().string());
  if (container.find("mp4") != std::string::npos) return ".mp4";
  if (container.find("matroska") != std::string::npos) return ".mkv";
  return container == "avi" ? ".avi" : container == "gif" ? ".gif" : ".video";
}

Result<void> check_file(const fs::path& file, const media::Limits& limits) {
  std::error_code error;
  const auto status = fs::status(file, error);
  if (!fs::exists(status)) return fail(Code::not_found, file.string() + " is not there");
  if (!fs::is_regular_file(status)) return fail(Code::not_a_video, file.string() + " is no regular file");
  const auto size = fs::file_size(file, error);
  if (error) return fail(Code::permission_denied, file.string() + ": " + error.message());
  if (size == 0) return fail(Code::not_a_video, file.string() + " is empty");
  if (size > static_cast<std::uintmax_t>(limits.max_bytes)) {
    return fail(Code::too_large, file.string() + " has " + std::to_string(size) + " bytes; media.max_bytes is " +
                                     std::to_string(limits.max_bytes));
  }
  return {};
}

Result<std::unique_ptr<media::Decoder>> open(const fs::path& file, Origin origin, const media::Limits& limits) {
  if (origin == Origin::local) return media::Decoder::open(file, limits);
  Descriptor bytes(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!bytes.is_open()) return fail(Code::permission_denied, file.string() + " cannot be read");
  return media::Decoder::open_untrusted(std::move(bytes), file.filename().string(), limits);
}

// Checks that the middle frame decodes, since a valid header proves little. Tries the fingerprint's frames first, which
// include the middle one; a file that is damaged elsewhere has no fingerprint.
Result<void> look_at(const fs::path& file, Origin origin, const media::Limits& limits, IngestedVideo& stored) {
  auto decoder = open(file, origin, limits);
  if (!decoder) return tl::unexpected(decoder.error());
  stored.probe = (*decoder)->probe();
  const double duration = stored.probe.duration;
  auto frames = (*decoder)->frames_at(media::fingerprint_times(duration), media::kFingerprintScale);
  media::Fingerprint fingerprint{.duration = duration};
  if (frames) {
    fingerprint = media::fingerprint_of(*frames, duration);
  } else {
    const double middle = duration / 2;
    frames = (*decoder)->frames_at({&middle, 1}, {.short_side = 32});
    if (!frames) return tl::unexpected(frames.error());
  }
  stored.fingerprint = media::to_text(fingerprint);
  return {};
}

}  // namespace

Result<IngestedVideo> ingest_file(const fs::path& file, Origin origin, catalog::Catalog& catalog, store::Store& store,
                                  const media::Limits& limits) {
  if (auto ok = check_file(file, limits); !ok) return tl::unexpected(ok.error());
  const auto digest = sha256_file(file);
  if (!digest) return tl::unexpected(digest.error());
  IngestedVideo stored{.id = hex(*digest), .key = {}, .probe = {}};
  if (catalog.tombstones.holds(catalog::Forgettable::video, stored.id)) {
    stored.forgotten = true;
    return stored;
  }
  if (const auto existing = catalog.videos.get(stored.id)) {
    stored.key = existing->key;
    const auto there = store.stat(stored.key);
    std::error_code error;
    const bool whole = there && there->size_bytes == static_cast<std::int64_t>(fs::file_size(file, error));
    if (!whole) store.put_file(stored.key, file);
    return stored;
  }
  if (auto good = look_at(file, origin, limits, stored); !good) return tl::unexpected(good.error());
  stored.key = "videos/" + stored.id + ending_of(file, stored.probe.container);
  // An old blob without a row may be about to be garbage-collected; writing it again makes it young.
  const auto there = store.stat(stored.key);
  if (!there || there->modified < std::time(nullptr) - kSurelyYoung) store.put_file(stored.key, file);
  return stored;
}

void undo_ingest(const IngestedVideo& stored, catalog::Catalog& catalog, store::Store& store) {
  if (!catalog.videos.get(stored.id)) store.remove(stored.key);
}

catalog::Video video_row(const IngestedVideo& stored) {
  catalog::Video v;
  v.id = stored.id;
  v.key = stored.key;
  v.duration = stored.probe.duration;
  v.width = stored.probe.width;
  v.height = stored.probe.height;
  v.fps = stored.probe.fps;
  v.codec = stored.probe.codec;
  v.size_bytes = stored.probe.size_bytes;
  return v;
}

}  // namespace reeltag::ingest
