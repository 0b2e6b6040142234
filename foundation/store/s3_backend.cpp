#include "s3_backend.hpp"

#include <arrow/buffer.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "arrow_store.hpp"
#include "failure.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/hash.hpp"
#include "retry.hpp"

namespace reeltag::store {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPieceBytes = 8LL << 20;  // per request when a blob is copied
constexpr int kAttempts = 3;                     // at copying a blob that is replaced meanwhile

struct Object {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  std::string etag;
};

std::optional<Object> open_object(arrow::fs::FileSystem& files, const std::string& path, const std::string& doing) {
  auto file = files.OpenInputFile(path);
  if (is_missing(file.status())) return std::nullopt;
  Object object{.file = value_of(std::move(file), doing), .etag = {}};
  const auto facts = value_of(object.file->ReadMetadata(), doing);
  if (facts) object.etag = facts->Get("ETag").ValueOr("");
  return object;
}

void copy(arrow::io::RandomAccessFile& from, arrow::io::OutputStream& to, const std::string& doing) {
  const auto size = value_of(from.GetSize(), doing);
  for (std::int64_t at = 0; at < size;) {
    const auto piece = value_of(from.ReadAt(at, std::min(kPieceBytes, size - at)), doing);
    if (piece->size() == 0) throw Exception(Code::unavailable, doing + ": the blob has become shorter; try again");
    check(to.Write(piece), doing);
    at += piece->size();
  }
}

// Identifies the bytes: another version of the blob has another ETag, and so another copy. Ends in the key's extension,
// for readability.
std::string copy_name(const std::string& url, const std::string& path, const std::string& etag) {
  auto ending = fs::path(path).extension().string();
  const bool plain = std::all_of(ending.begin(), ending.end(), [](unsigned char c) { return c < 0x80 && c > 0x20; });
  if (!plain || ending.size() > 10) ending.clear();
  return hex(sha256(url + "\n" + path + "\n" + etag)) + ending;
}

arrow::fs::S3Options client_options(const S3Place& place, const std::string& url, const Options& options) {
  auto client = arrow::fs::S3Options::Defaults();
  client.endpoint_override = place.endpoint;
  client.scheme = place.scheme;
  client.force_virtual_addressing = place.virtual_hosts;
  client.connect_timeout = options.connect_timeout;
  client.request_timeout = options.timeout;
  client.retry_strategy =
      std::make_shared<Retry>(std::chrono::milliseconds(static_cast<std::int64_t>(options.retry_seconds * 1000)), url);
  client.tls_ca_file_path = authorities_file();
  client.allow_delayed_open = true;  // one request for a small blob instead of three
  client.background_writes = false;  // they have no bound: a large file would be in memory as a whole
  client.region = place.region;
  return client;
}

// A stream's destructor completes its upload with the parts sent so far, which would publish a partial blob. A stream
// that the server could not be told to abort is kept until the process ends; discard() can then end its upload.
void never_destroy(std::shared_ptr<arrow::io::OutputStream> out) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<std::shared_ptr<arrow::io::OutputStream>>;
  const std::lock_guard lock(mutex);
  kept->push_back(std::move(out));
}

// From the URL, or the environment; for Amazon's own buckets, from Amazon.
std::string region_of(const S3Place& place, const std::string& doing) {
  if (!place.region.empty()) return place.region;
  for (const auto* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const char* region = std::getenv(name); region != nullptr && *region != '\0') return region;
  }
  if (!place.endpoint.empty()) return "us-east-1";
  return value_of(arrow::fs::ResolveS3BucketRegion(place.bucket), doing);
}

Credentials credentials_of(const arrow::fs::S3Options& options) {
  return {.key = options.GetAccessKey(), .secret = options.GetSecretKey(), .token = options.GetSessionToken()};
}

}  // namespace

S3Backend::S3Backend(std::shared_ptr<arrow::fs::S3FileSystem> files, const S3Place& place, const Options& options)
    : files_(std::move(files)),
      requests_(
          place, files_->region(), [options = files_->options()] { return credentials_of(options); }, options),
      own_cache_(options.cache.empty() ? std::optional<TemporaryFolder>(std::in_place, "reeltag-cache") : std::nullopt),
      copies_(own_cache_ ? own_cache_->path() : options.cache, options.cache_bytes) {}

void S3Backend::publish(const std::string& path, const Fill& fill, const std::string& doing) {
  auto out = value_of(files_->OpenOutputStream(path, nullptr), doing);
  try {
    fill(*out);
  } catch (...) {
    if (!out->Abort().ok()) never_destroy(std::move(out));
    throw;
  }
  check(out->Close(), doing);  // if this fails, the stream aborts by itself
}

bool S3Backend::remove(const std::string& path, const std::string& doing) {
  if (!value_of(files_->GetFileInfo(path), doing).IsFile()) return false;
  requests_.remove(path, doing);
  return true;
}

std::optional<fs::path> S3Backend::local_path(const std::string& path, const std::string& doing) {
  for (int attempt = 1;; ++attempt) {
    const auto object = open_object(*files_, path, doing);
    if (!object) return std::nullopt;
    const auto name = copy_name(files_->options().endpoint_override, path, object->etag);
    if (auto there = copies_.find(name, value_of(object->file->GetSize(), doing))) return there;
    bool replaced = false;
    const auto fill = [&](arrow::io::OutputStream& out) {
      copy(*object->file, out, doing);
      const auto now = open_object(*files_, path, doing);
      replaced = !now || now->etag != object->etag;
      if (replaced) throw Exception(Code::unavailable, doing + ": it was replaced all the while; try again");
    };
    try {
      return copies_.add(name, fill, doing);
    } catch (const Exception&) {
      if (!replaced || attempt == kAttempts) throw;
    }
  }
}

std::vector<UnfinishedUpload> S3Backend::unfinished() { return requests_.uploads(); }

bool S3Backend::discard(const UnfinishedUpload& write) { return requests_.end(write); }

Copies S3Backend::drop_copies(std::chrono::seconds unused_for, bool dry_run) {
  return copies_.drop(unused_for, dry_run);
}

std::unique_ptr<Store> open_s3(const Options& options) {
  auto place = parse_s3_url(options.url);
  const auto url = s3_url_of(place);
  const auto doing = "opening the store " + url;
  check(arrow::fs::EnsureS3Initialized(), doing);
  place.region = region_of(place, doing);
  const auto client = client_options(place, url, options);
  if (client.GetAccessKey().empty()) {
    throw Exception(Code::permission_denied,
                    doing +
                        ": there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, "
                        "or give the machine a role");
  }
  auto files = value_of(arrow::fs::S3FileSystem::Make(client), doing);
  // A missing bucket looks like missing objects.
  const auto bucket = value_of(files->GetFileInfo(place.bucket), doing);
  if (!bucket.IsDirectory()) {
    throw Exception(Code::not_found, doing + ": there is no bucket '" + place.bucket +
                                         "'; make it, or correct the URL and the access key");
  }
  auto backend = std::make_unique<S3Backend>(files, place, options);
  return std::make_unique<ArrowStore>(std::move(files), place.root(), url, std::move(backend));
}

}  // namespace reeltag::store
