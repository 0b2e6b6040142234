#include "tus.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "metadata.hpp"
#include "reeltag/base/time.hpp"
#include "tus_body.hpp"

namespace reeltag::serve {

using http::server::http_date;
using http::server::problem;
using http::server::Request;
using http::server::Response;

namespace {

constexpr const char* kPath = "/v1/uploads";
constexpr const char* kBodyType = "application/offset+octet-stream";
constexpr std::chrono::milliseconds kPatience{2000};
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
  UploadRecord record{.owner = owner};
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

}  // namespace

class Tus::Patience {
 public:
  explicit Patience(std::atomic<int>& waiting) : waiting_(waiting), may_wait_(waiting_++ < kMaxWaiting) {}
  ~Patience() { --waiting_; }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
  [[nodiscard]] std::chrono::milliseconds time() const { return may_wait_ ? kPatience : std::chrono::milliseconds(0); }

 private:
  std::atomic<int>& waiting_;
  bool may_wait_;
};

// Registers every method with one handler, because X-HTTP-Method-Override may turn any into another; with a limit of
// its own, so that its refusals have tus headers.
void Tus::add_routes(http::server::Router& router) {
  const auto begin = [self = shared_from_this()](const Request& request) { return self->answer(request); };
  for (const char* method : {"OPTIONS", "POST"}) router.upload(method, kPath, begin, {.max_body = Uploads::kAnyBody});
  for (const char* method : {"OPTIONS", "HEAD", "POST", "PATCH", "DELETE"})
    router.upload(method, std::string(kPath) + "/{upload}", begin, {.max_body = Uploads::kAnyBody});
}

Begun Tus::answer(const Request& request) {
  Begun begun = dispatch(request);
  if (auto* response = std::get_if<Response>(&begun)) return with_tus(std::move(*response), request);
  static_cast<TusBody&>(*std::get<1>(begun)).answers(request);
  return begun;
}

Begun Tus::dispatch(const Request& request) {
  const auto overridden = request.header("x-http-method-override");
  const std::string method(overridden.empty() ? request.method : overridden);
  if (method == "OPTIONS") return options(request);
  if (request.header("tus-resumable") != "1.0.0")
    return problem(412, "unsupported_version", "want Tus-Resumable: 1.0.0").with("Tus-Version", "1.0.0");
  auto owner = owner_of_(request);
  if (auto* refused = std::get_if<Response>(&owner)) return std::move(*refused);
  const bool creates = request.parameter("upload").empty();
  if (creates && method == "POST") return create(request, std::get<std::string>(owner));
  if (creates || (method != "HEAD" && method != "PATCH" && method != "DELETE")) {
    return problem(405, "method_not_allowed", "this path does not have " + method)
        .with("Allow", creates ? "OPTIONS, POST" : "OPTIONS, HEAD, PATCH, DELETE");
  }
  const auto file = find(request, std::get<std::string>(owner));
  if (!file) return problem(404, "not_found", "there is no such upload");
  const auto facts = file->glance();
  if (method == "DELETE") return end(file);
  if (facts.record.length != facts.offset && facts.record.expires <= unix_time())
    return problem(410, "gone", "the upload has expired; begin a new one");
  if (method == "HEAD") return head(file);
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

std::shared_ptr<UploadFile> Tus::find(const Request& request, const std::string& owner) const {
  auto file = store_.find(request.parameter("upload"));
  if (!file) return nullptr;
  const auto record = file->glance().record;
  return record.owner != owner || record.one_body || record.terminated ? nullptr : file;
}

Begun Tus::create(const Request& request, const std::string& owner) {
  auto described = record_of(request, owner, store_.options().max_bytes);
  if (auto* refused = std::get_if<Response>(&described)) return std::move(*refused);
  auto& record = std::get<UploadRecord>(described);
  const auto length = record.length;
  auto checksum = checksum_of(request);
  if (auto* refused = std::get_if<Response>(&checksum)) return std::move(*refused);
  if (has_body(request)) {
    if (!is_type_of_bytes(request)) return wrong_type();
    if (request.content_length.value_or(0) > length.value_or(store_.options().max_bytes)) return beyond_length();
  }
  auto made = store_.create(std::move(record), length.value_or(request.content_length.value_or(0)));
  if (auto* refused = std::get_if<Response>(&made)) return std::move(*refused);
  const auto& file = std::get<std::shared_ptr<UploadFile>>(made);
  if (!has_body(request)) return accepted(*file, true);
  auto& expected = std::get<std::optional<Checksum>>(checksum);
  const auto claim = file->claim(kPatience, expected.has_value());
  if (!claim) return refusal_of({Code::already_exists, "the upload was removed"});
  return std::make_unique<TusBody>(shared_from_this(), file, claim->writer, std::move(expected), true);
}

Response Tus::accepted(UploadFile& file, bool creates) {
  const auto facts = file.facts();
  Response response{.status = creates ? 201 : 204};
  if (creates) response.with("Location", std::string(kPath) + '/' + file.id());
  response.with("Upload-Offset", std::to_string(facts.offset));
  if (!facts.is_whole) return std::move(response).with("Upload-Expires", expires_text(facts.record));
  const auto job = store_.job_of(file);
  if (!job) return problem(job.error()).with("Retry-After", "2");
  return std::move(response).with("Reeltag-Job", *job);
}

Response Tus::head(const std::shared_ptr<UploadFile>& file) {
  const auto facts = file->settle(Patience(waiting_).time());
  const UploadRecord& record = facts.record;
  Response response{.headers = {{"Cache-Control", "no-store"}, {"Upload-Offset", std::to_string(facts.offset)}}};
  if (record.length) response.with("Upload-Length", std::to_string(*record.length));
  if (!record.length) response.with("Upload-Defer-Length", "1");
  if (!record.upload_metadata.empty()) response.with("Upload-Metadata", record.upload_metadata);
  if (!facts.is_whole) return std::move(response).with("Upload-Expires", expires_text(record));
  const auto job = store_.job_of(*file);
  if (!job) return problem(job.error()).with("Retry-After", "2");
  return std::move(response).with("Reeltag-Job", *job);
}

Begun Tus::patch(const Request& request, const std::shared_ptr<UploadFile>& file) {
  if (!is_type_of_bytes(request)) return wrong_type();
  const auto offset = parse_size(request.header("upload-offset"));
  if (!offset) return bad("Upload-Offset: want a number of bytes");
  auto checksum = checksum_of(request);
  if (auto* refused = std::get_if<Response>(&checksum)) return std::move(*refused);
  auto& expected = std::get<std::optional<Checksum>>(checksum);
  const bool checked = expected.has_value();
  // A client that missed the last response repeats its request: nothing is written, so no claim is needed.
  if (const auto facts = file->glance(); facts.is_whole && *offset == facts.offset && !has_body(request))
    return accepted(*file, false);
  const auto claim = file->claim(Patience(waiting_).time(), checked);
  if (!claim)
    return refusal_of({Code::already_exists, "another request is writing this upload; try again in a moment"});
  // From here on its destructor releases the claim.
  auto part = std::make_unique<TusBody>(shared_from_this(), file, claim->writer, std::move(expected), false);
  if (*offset != claim->offset)
    return problem(409, "conflict", "the upload's offset is " + std::to_string(claim->offset));
  auto length = claim->record.length;
  if (request.headers.contains("upload-length")) {
    auto said = length_of(request, store_.options().max_bytes);
    if (auto* refused = std::get_if<Response>(&said)) return std::move(*refused);
    const auto bytes = std::get<std::int64_t>(said);
    if (length.value_or(bytes) != bytes || bytes < claim->offset)
      return bad("Upload-Length: the length is known already, or less than there is");
    if (!length) file->change([&](UploadRecord& record) { record.length = bytes; });
    length = bytes;
  }
  const auto coming = request.content_length.value_or(0);
  if (coming > length.value_or(store_.options().max_bytes) - claim->offset) return beyond_length();
  if (auto refused = store_.refuse_without_room(coming); coming > 0 && refused) return std::move(*refused);
  return part;
}

// A complete upload has become a job, which continues; only tus forgets it.
Response Tus::end(const std::shared_ptr<UploadFile>& file) {
  const auto facts = file->glance();
  if (facts.is_whole && !facts.record.job.empty() && !facts.record.released) {
    file->change([](UploadRecord& record) { record.terminated = true; });
  } else {
    store_.forget(file);
  }
  return Response{.status = 204};
}

}  // namespace reeltag::serve
