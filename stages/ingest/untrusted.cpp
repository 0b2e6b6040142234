#include "reeltag/untrusted.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"

namespace reeltag::ingest {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kPieceBytes = 8LL << 20;
constexpr std::size_t kMaxBuckets = 16;  // kept open
constexpr double kObjectSeconds = 10.0;  // seconds; timeout without a byte, and limit of retries
constexpr std::string_view kScheme = "s3://";

double seconds_until(Clock::time_point time) { return std::chrono::duration<double>(time - Clock::now()).count(); }

bool write_all(const Descriptor& file, std::string_view rest) {
  while (!rest.empty()) {
    const auto put = ::write(file.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Descriptor unnamed_file(const FetchOptions& options) {
  std::filesystem::create_directories(options.folder);
  return open_unnamed_file(options.folder);
}

}  // namespace

Result<Descriptor> fetch_url(const FetchOptions& options, const std::string& url, Deadline deadline) {
  auto http = options.http;
  if (deadline) http.timeout = std::min(http.timeout, seconds_until(*deadline));
  if (http.timeout <= 0) return fail(Code::timeout, url + ": the deadline has passed");
  Descriptor file = unnamed_file(options);
  const auto got = http::download(url, [&](std::string_view part) { return write_all(file, part); }, http);
  if (!got) return fail(got.error());
  log::debug("fetched", {{"url", got->url}, {"bytes", got->bytes}, {"type", got->content_type}});
  return file;
}

std::shared_ptr<store::Store> ObjectFetcher::bucket(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = buckets_.find(name); found != buckets_.end()) return found->second;
  const auto& configured = options_.objects.url;
  const auto query = store::is_object_store(configured) ? configured.find('?') : std::string::npos;
  auto options = options_.objects;
  options.url = std::string(kScheme) + name + (query == std::string::npos ? "" : configured.substr(query));
  options.timeout = std::min(options.timeout, kObjectSeconds);
  options.retry_seconds = std::min(options.retry_seconds, kObjectSeconds);
  if (buckets_.size() >= kMaxBuckets) buckets_.clear();
  return buckets_.emplace(name, store::open(options)).first->second;
}

Result<Descriptor> ObjectFetcher::fetch(const std::string& uri, Clock::time_point deadline) {
  const auto slash = uri.find('/', kScheme.size());
  const bool whole = uri.starts_with(kScheme) && slash != std::string::npos && slash > kScheme.size();
  const auto bucket_name = whole ? uri.substr(kScheme.size(), slash - kScheme.size()) : "";
  const auto key = whole ? uri.substr(slash + 1) : "";
  if (!whole || !store::is_key(key) || bucket_name.find_first_of("?#@:%") != std::string::npos)
    return fail(Code::invalid_argument, uri + ": want s3://bucket/key");
  try {
    const auto objects = bucket(bucket_name);
    const auto found = objects->stat(key);
    if (!found) return fail(Code::not_found, uri + " is not there");
    if (found->size_bytes > options_.max_bytes)
      return fail(Code::too_large, uri + " has more bytes than the limit media.max_bytes");
    Descriptor file = unnamed_file(options_);
    for (std::int64_t at = 0; at < found->size_bytes;) {
      if (Clock::now() > deadline) return fail(Code::timeout, uri + ": the deadline passed while it was fetched");
      const auto piece = objects->get_range(key, at, std::min(kPieceBytes, found->size_bytes - at));
      if (piece.empty()) return fail(Code::unavailable, uri + " became shorter while it was fetched");
      if (!write_all(file, piece)) return fail(Code::unavailable, uri + ": cannot be stored, is the disk full?");
      at += static_cast<std::int64_t>(piece.size());
    }
    return file;
  } catch (const Exception& e) {
    return fail(e.error());
  }
}

Result<Descriptor> read_standard_input(const FetchOptions& options) {
  Descriptor file = unnamed_file(options);
  std::array<char, 1 << 16> part{};
  std::int64_t bytes = 0;
  for (;;) {
    stop::throw_if_requested();
    const auto got = ::read(STDIN_FILENO, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Code::unavailable, "-: standard input cannot be read");
    if (got == 0) return file;
    bytes += got;
    if (bytes > options.max_bytes) return fail(Code::too_large, "-: has more bytes than the limit media.max_bytes");
    if (!write_all(file, {part.data(), static_cast<std::size_t>(got)}))
      return fail(Code::unavailable, "-: cannot be stored below " + options.folder.string());
  }
}

}  // namespace reeltag::ingest
