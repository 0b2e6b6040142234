// Receives videos over HTTP: resumable uploads (tus 1.0.0) and single-request bodies. Each has a folder of its own,
// FOLDER/<id>/ (data, upload.json), for as long as its job needs it; its bytes are never executed or served, and the
// client's file name is used as text only. Whatever was acknowledged survives a kill and a power cut.
// Uploads: thread-safe; must outlive the server whose router has its routes.
// Failure: the constructor throws Exception(permission_denied, unavailable) if the folder cannot be used; clients get
// problem+json. An unreadable upload is logged and skipped.
//
//   Uploads uploads(home / "uploads", options, [&](const CompletedUpload& upload) { return jobs.add(upload); });
//   uploads.recover();
//   uploads.add_routes(router, [&](const auto& request) { return accounts.owner_of(request); });
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "reeltag/http/router.hpp"
#include "reeltag/upload_options.hpp"

namespace reeltag::serve {

struct CompletedUpload {
  std::string id = {}, owner = {};
  std::string name = {};          // file name from the client, without folders; empty if not given
  std::string content_type = {};  // from the client, without parameters
  std::filesystem::path file = {};
  std::int64_t bytes = 0;
  std::map<std::string, std::string> metadata = {};   // UTF-8 values of tus' metadata or of a form's fields
  double deadline = 0;                                // seconds, from the metadata "deadline"; 0: none
  std::string client = {};                            // Request::client of whoever sent it
  std::string request_key = {}, request_digest = {};  // of a single-request body with Idempotency-Key; else empty
};

struct UploadJob {
  std::string id;
  bool uses_upload = true;  // false: an earlier request with this key has the job, and these bytes are not needed
};

// Turns a complete upload into a job. Called again for the same upload it must return the same one. invalid_argument:
// the request's key belongs to another request; the client gets 422 and the upload is removed. If it throws, the client
// gets 503; the upload stays and is retried.
using OnFinished = std::function<Result<UploadJob>(const CompletedUpload&)>;

// The header Idempotency-Key as a fixed-length text; empty if there is none. Fails with invalid_argument, worded for
// the client.
Result<std::string> request_key_of(const http::server::Request& request);
// The refusal of a key that belongs to another request, 422.
http::server::Response key_of_another_request();

// The owner of a request, or the response that refuses it.
using OwnerOf = std::function<std::variant<std::string, http::server::Response>(const http::server::Request& request)>;
using Begun = std::variant<http::server::Response, std::unique_ptr<http::server::Upload>>;

class Uploads {
 public:
  Uploads(const std::filesystem::path& folder, const UploadOptions& options, OnFinished on_finished);
  ~Uploads();
  Uploads(const Uploads&) = delete;
  Uploads& operator=(const Uploads&) = delete;

  // tus under /v1/uploads and /v1/uploads/{upload}.
  void add_routes(http::server::Router& router, const OwnerOf& owner_of);

  // Starts receiving one body: video/*, image/gif or application/octet-stream, its name in Content-Disposition or
  // ?name=; or a form with the file in the field `file`. An incomplete body is removed. The same Idempotency-Key with
  // the same content gives the same job, whatever encloses the content. Enforces the limits itself: set
  // the route's max_body to kAnyBody.
  Begun begin(const http::server::Request& request, const std::string& owner,
              std::function<http::server::Response(const std::string& job)> answer);

  // At start: creates jobs for the complete uploads that have none.
  void recover();
  // Fails with unavailable if the disk has less free than min_free_bytes.
  [[nodiscard]] Result<void> check_room() const;
  // A complete upload whose bytes still exist.
  [[nodiscard]] std::optional<CompletedUpload> find(const std::string& id) const;
  // Removes the bytes once the job has ended. Until it would have expired, tus still reports it complete, with its job.
  void remove(const std::string& id);
  // Removes uploads over keep_hours that are unfinished (returns how many), and those whose job has ended if a kill
  // came before remove(). Call it every few minutes.
  std::int64_t expire(const std::function<bool(const std::string& job)>& has_ended);

  static constexpr std::int64_t kAnyBody = INT64_MAX;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::serve
