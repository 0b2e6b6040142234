#include "tus.hpp"

#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <mutex>
#include <optional>

#include "checksum.hpp"
#include "metadata.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/time.hpp"
#include "refusal.hpp"
#include "upload_job.hpp"

namespace reeltag::serve {

using http::server::http_date;
using http::server::problem;
using http::server::Request;
using http::server::Response;

namespace {

constexpr const char* kUploads = "/v1/uploads";
constexpr const char* kUpload = "/v1/uploads/{upload}";
constexpr const char* kBodyType = "application/offset+octet-stream";
constexpr std::chrono::milliseconds kMaxWait{2000};
constexpr int kMaxWaiting = 2;

Response bad(std::string detail) { return problem(400, "bad_request", std::move(detail)); }

std::string expires_text(const UploadRecord& record) {
  return http_date(static_cast<std::time_t>(std::ceil(record.expires)));
}

bool has_body(const Request& request) { return request.content_length.value_or(1) > 0; }

bool is_type_of_bytes(const Request& request) { return request.header("content-type") == kBodyType; }

Response wrong_type() { return problem(415, "unsupported_media_type", std::string("want Content-Type: ") + kBodyType); }

Response beyond_length() { return problem(413, "too_large", "these are more bytes than the upload is to have"); }

// The upload's length from the headers: at creation, or later if it was deferred.
std::variant<Response, std::int64_t> length_of(const Request& request, std::int64_t max_bytes) {
  const auto text = request.header("upload-length");
  const auto length = parse_size(text);
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits) return bad("Upload-Length: want a number of bytes");
  if (!length || *length > max_bytes)
    return problem(413, "too_large", "an upload may have at most " + std::to_string(max_bytes) + " bytes");
  if (*length == 0) return bad("Upload-Length: an empty file is no video");
  return *length;
}

// The record from the headers of a creation; its length is 0 if deferred.
std::variant<Response, UploadRecord> record_of(const Request& request, const std::string& owner,
                                               std::int64_t max_bytes) {
  if (!request.header("upload-concat").empty()) return bad("Upload-Concat: uploads are not put together here");
  UploadRecord record{.owner = owner, .client = request.client};
  const auto deferred = request.header("upload-defer-length");
  const bool has_length = request.headers.contains("upload-length");
  if (has_length == !deferred.empty()) return bad("want one of Upload-Length and Upload-Defer-Length");
  if (has_length) {
    auto length = length_of(request, max_bytes);
    if (auto* refused = std::get_if<Response>(&length)) return std::move(*refused);
    record.length = std::get<std::int64_t>(length);
  } else if (deferred != "1") {
    return bad("Upload-Defer-Length: want 1");
  }
  record.upload_metadata = request.header("upload-metadata");
  auto metadata = parse_metadata(record.upload_metadata);
  if (!metadata) return problem(metadata.error());
  record.metadata = std::move(*metadata);
  if (const auto deadline = deadline_of(record.metadata); !deadline) return problem(deadline.error());
  const auto text = [&](const char* key, const char* other) {
    const auto found = record.metadata.find(key);
    if (found != record.metadata.end()) return found->second;
    const auto second = record.metadata.find(other);
    return second == record.metadata.end() ? std::string() : second->second;
  };
  auto key = request_key_of(request);
  if (!key) return problem(key.error());
  record.request_key = std::move(*key);
  record.request_digest = hex(sha256(std::to_string(record.length.value_or(0)) + ';' + record.upload_metadata));
  auto type = accepted_type(text("filetype", "type"));
  if (!type) return problem(type.error());
  record.content_type = std::move(*type);
  record.name = display_name(text("filename", "name"));
  return record;
}

std::variant<Response, std::optional<Checksum>> checksum_of(const Request& request) {
  if (!request.headers.contains("upload-checksum")) return std::optional<Checksum>();
  auto checksum = Checksum::parse(request.header("upload-checksum"));
  if (!checksum) return problem(checksum.error());
  return std::optional(std::move(*checksum));
}

// Adds the headers that every tus response has. origin: the request's header.
Response with_tus(Response response, std::string_view origin) {
  response.with("Tus-Resumable", "1.0.0");
  // Exposes these headers to scripts of other sites, if a proxy permits cross-origin requests at all.
  if (!origin.empty()) {
    response.with("Access-Control-Expose-Headers",
                  "Location, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, "
                  "Upload-Offset, Upload-Length, Upload-Defer-Length, Upload-Metadata, Upload-Expires, Reeltag-Job, "
                  "Retry-After");
  }
  return response;
}

// Adds when an unfinished upload expires, or the job of a complete one.
Response with_expiry_or_job(Response response, UploadFile& file, const UploadFile::Facts& facts,
                            const OnFinished& on_finished) {
  if (!facts.is_whole) return std::move(response).with("Upload-Expires", expires_text(facts.record));
  const auto job = job_of(file, on_finished);
  if (!job) return problem(job.error()).with("Retry-After", "2");
  return std::move(response).with("Reeltag-Job", job->id);
}

// The response to a part that is durable.
Response accepted(UploadFile& file, bool creates, const OnFinished& on_finished) {
  const auto facts = file.facts();
  Response response{.status = creates ? 201 : 204};
  if (creates) response.with("Location", std::string(kUploads) + '/' + file.id());
  response.with("Upload-Offset", std::to_string(facts.offset));
  return with_expiry_or_job(std::move(response), file, facts, on_finished);
}

// Writes the body of one request to the disk. One thread; one object per request.
class TusBody final : public http::server::Upload {
 public:
  struct Part {
    std::shared_ptr<UploadFile> file;
    UploadFile::Writer writer = 0;  // the claim, released by the destructor
    std::optional<Checksum> checksum;
    bool creates = false;  // the request created the upload, and a failure removes it
    std::string origin;    // from the request, which is gone when the body ends
  };

  TusBody(UploadStore& store, const OnFinished& on_finished, Part part)
      : store_(store), on_finished_(on_finished), part_(std::move(part)) {}
  ~TusBody() override { part_.file->abandon(part_.writer); }
  TusBody(const TusBody&) = delete;
  TusBody& operator=(const TusBody&) = delete;

  Result<void> write(std::string_view bytes) override {
    auto written = part_.file->append(part_.writer, bytes);
    if (written && part_.checksum) part_.checksum->update(bytes);
    return written;
  }

  Response refusal(const Error& error) override {
    // Keeps nothing of a part that exceeds the length: client and server disagree about the video.
    if (error.code == Code::too_large) discard();
    return with_tus(refusal_of(error), part_.origin);
  }

  Response finish() override { return with_tus(commit(), part_.origin); }

 private:
  Response commit() {
    if (part_.checksum && !part_.checksum->matches()) {
      discard();
      return problem(460, "checksum_mismatch", "the bytes are not those of the checksum; send them again");
    }
    if (!part_.file->commit(part_.writer))
      return refusal_of({Code::already_exists, "another request has taken this upload over"});
    return accepted(*part_.file, part_.creates, on_finished_);
  }

  void discard() {
    if (part_.creates) return store_.forget(part_.file);
    part_.file->discard(part_.writer);
  }

  UploadStore& store_;
  const OnFinished& on_finished_;
  Part part_;
};

// Lets a request wait until another has ended; only a few at once, so that threads stay available.
class WaitPermit {
 public:
  explicit WaitPermit(std::atomic<int>& waiting) : waiting_(waiting), may_wait_(waiting_++ < kMaxWaiting) {}
  ~WaitPermit() { --waiting_; }
  WaitPermit(const WaitPermit&) = delete;
  WaitPermit& operator=(const WaitPermit&) = delete;
  [[nodiscard]] std::chrono::milliseconds time() const { return may_wait_ ? kMaxWait : std::chrono::milliseconds(0); }

 private:
  std::atomic<int>& waiting_;
  bool may_wait_;
};

// Answers the requests of all routes.
class Tus {
 public:
  Tus(UploadStore& store, const OnFinished& on_finished, OwnerOf owner_of)
      : store_(store), on_finished_(on_finished), owner_of_(std::move(owner_of)) {}

  Begun answer(const Request& request) {
    Begun begun = dispatch(request);
    if (auto* response = std::get_if<Response>(&begun)) return with_tus(std::move(*response), request.header("origin"));
    return begun;
  }

 private:
  Begun dispatch(const Request& request);
  [[nodiscard]] Response options(const Request& request) const;
  Begun create(const Request& request, const std::string& owner);
  Response head(UploadFile& file);
  Begun patch(const Request& request, const std::shared_ptr<UploadFile>& file);
  std::unique_ptr<TusBody> receive(const Request& request, std::shared_ptr<UploadFile> file, UploadFile::Writer writer,
                                   std::optional<Checksum> checksum, bool creates);

  UploadStore& store_;
  const OnFinished& on_finished_;
  const OwnerOf owner_of_;
  std::atomic<int> waiting_ = 0;
  std::mutex keyed_creation_;  // held while a creation with Idempotency-Key looks for an earlier one
};

// The method that the request means. A safe method cannot stand for another one: nothing would have checked then that
// no page of another site sent it.
std::string effective_method(const Request& request) {
  const auto overridden = request.header("x-http-method-override");
  const bool is_safe = request.method == "OPTIONS" || request.method == "HEAD";
  return std::string(overridden.empty() || is_safe ? request.method : overridden);
}

Begun Tus::dispatch(const Request& request) {
  const std::string method = effective_method(request);
  if (method == "OPTIONS") return options(request);
  if (request.header("tus-resumable") != "1.0.0")
    return problem(412, "unsupported_version", "want Tus-Resumable: 1.0.0").with("Tus-Version", "1.0.0");
  auto decision = owner_of_(request);
  if (auto* refused = std::get_if<Response>(&decision)) return std::move(*refused);
  const auto& owner = std::get<std::string>(decision);
  const bool creates = request.parameter("upload").empty();
  if (creates && method == "POST") return create(request, owner);
  if (creates || (method != "HEAD" && method != "PATCH" && method != "DELETE")) {
    return problem(405, "method_not_allowed", "this path does not have " + method)
        .with("Allow", creates ? "OPTIONS, POST" : "OPTIONS, HEAD, PATCH, DELETE");
  }
  const auto file = store_.find(request.parameter("upload"));
  const auto facts = file ? file->glance() : UploadFile::Facts();
  if (!file || facts.record.owner != owner || facts.record.one_body || facts.record.terminated)
    return problem(404, "not_found", "there is no such upload");
  if (method == "DELETE") {
    store_.cancel(file);
    return Response{.status = 204};
  }
  if (facts.is_unfinished() && facts.record.expires <= unix_time())
    return problem(410, "gone", "the upload has expired; begin a new one");
  if (method == "HEAD") return head(*file);
  return patch(request, file);
}

Response Tus::options(const Request& request) const {
  return Response{.status = 204}
      .with("Tus-Version", "1.0.0")
      .with("Tus-Extension", "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination")
      .with("Tus-Max-Size", std::to_string(store_.options().max_bytes))
      .with("Tus-Checksum-Algorithm", Checksum::kAlgorithms)
      .with("Allow", request.parameter("upload").empty() ? "OPTIONS, POST" : "OPTIONS, HEAD, PATCH, DELETE");
}

Begun Tus::create(const Request& request, const std::string& owner) {
  auto described = record_of(request, owner, store_.options().max_bytes);
  if (auto* refused = std::get_if<Response>(&described)) return std::move(*refused);
  auto& record = std::get<UploadRecord>(described);
  const auto length = record.length;
  auto parsed = checksum_of(request);
  if (auto* refused = std::get_if<Response>(&parsed)) return std::move(*refused);
  auto& checksum = std::get<std::optional<Checksum>>(parsed);
  if (has_body(request)) {
    if (!is_type_of_bytes(request)) return wrong_type();
    if (request.content_length.value_or(0) > length.value_or(store_.options().max_bytes)) return beyond_length();
  }
  std::unique_lock keyed(keyed_creation_, std::defer_lock);
  if (!record.request_key.empty()) {
    keyed.lock();
    if (const auto known = store_.find_request(owner, record.request_key)) {
      if (known->glance().record.request_digest != record.request_digest) return key_of_another_request();
      return accepted(*known, true, on_finished_);
    }
  }
  const auto file = store_.create(std::move(record), length.value_or(request.content_length.value_or(0)));
  if (!file) return refusal_of(file.error());
  if (!has_body(request)) return accepted(**file, true, on_finished_);
  const auto claim = (*file)->claim(kMaxWait, checksum.has_value());
  if (!claim) return refusal_of({Code::already_exists, "the upload was removed"});
  return receive(request, *file, claim->writer, std::move(checksum), true);
}

Response Tus::head(UploadFile& file) {
  const auto facts = file.settle(WaitPermit(waiting_).time());
  const UploadRecord& record = facts.record;
  Response response{.headers = {{"Cache-Control", "no-store"}, {"Upload-Offset", std::to_string(facts.offset)}}};
  if (record.length) response.with("Upload-Length", std::to_string(*record.length));
  if (!record.length) response.with("Upload-Defer-Length", "1");
  if (!record.upload_metadata.empty()) response.with("Upload-Metadata", record.upload_metadata);
  return with_expiry_or_job(std::move(response), file, facts, on_finished_);
}

Begun Tus::patch(const Request& request, const std::shared_ptr<UploadFile>& file) {
  if (!is_type_of_bytes(request)) return wrong_type();
  const auto offset = parse_size(request.header("upload-offset"));
  if (!offset) return bad("Upload-Offset: want a number of bytes");
  auto parsed = checksum_of(request);
  if (auto* refused = std::get_if<Response>(&parsed)) return std::move(*refused);
  auto& checksum = std::get<std::optional<Checksum>>(parsed);
  // A client that missed the last response repeats its request: nothing is written, so no claim is needed.
  if (const auto facts = file->glance(); facts.is_whole && *offset == facts.offset && !has_body(request))
    return accepted(*file, false, on_finished_);
  const auto claim = file->claim(WaitPermit(waiting_).time(), checksum.has_value());
  if (!claim)
    return refusal_of({Code::already_exists, "another request is writing this upload; try again in a moment"});
  // From here on its destructor releases the claim.
  auto body = receive(request, file, claim->writer, std::move(checksum), false);
  if (*offset != claim->offset)
    return problem(409, "conflict", "the upload's offset is " + std::to_string(claim->offset));
  auto length = claim->record.length;
  if (request.headers.contains("upload-length")) {
    auto said = length_of(request, store_.options().max_bytes);
    if (auto* refused = std::get_if<Response>(&said)) return std::move(*refused);
    const auto bytes = std::get<std::int64_t>(said);
    if (length.value_or(bytes) != bytes || bytes < claim->offset)
      return bad("Upload-Length: the length is known already, or less than there is");
    if (!length) file->set_length(bytes);
    length = bytes;
  }
  const auto coming = request.content_length.value_or(0);
  if (coming > length.value_or(store_.options().max_bytes) - claim->offset) return beyond_length();
  if (const auto room = store_.check_room(coming); coming > 0 && !room) return refusal_of(room.error());
  return body;
}

std::unique_ptr<TusBody> Tus::receive(const Request& request, std::shared_ptr<UploadFile> file,
                                      UploadFile::Writer writer, std::optional<Checksum> checksum, bool creates) {
  return std::make_unique<TusBody>(store_, on_finished_,
                                   TusBody::Part{.file = std::move(file),
                                                 .writer = writer,
                                                 .checksum = std::move(checksum),
                                                 .creates = creates,
                                                 .origin = std::string(request.header("origin"))});
}

}  // namespace

// Registers every method with one handler, because X-HTTP-Method-Override may turn one into another; with a limit of
// its own, so that its refusals have tus headers.
void add_tus_routes(http::server::Router& router, UploadStore& store, const OnFinished& on_finished, OwnerOf owner_of) {
  const auto tus = std::make_shared<Tus>(store, on_finished, std::move(owner_of));
  const auto begin = [tus](const Request& request) { return tus->answer(request); };
  for (const char* method : {"OPTIONS", "POST"})
    router.upload(method, kUploads, begin, {.max_body = Uploads::kAnyBody});
  for (const char* method : {"OPTIONS", "HEAD", "POST", "PATCH", "DELETE"})
    router.upload(method, kUpload, begin, {.max_body = Uploads::kAnyBody});
}

}  // namespace reeltag::serve
