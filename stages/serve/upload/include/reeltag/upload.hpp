// Videos that come in over HTTP: resumable uploads (tus 1.0.0) and bodies in one request. Each lies in a folder of its
// own, FOLDER/<id>/ (data, upload.json), as long as its job needs it; it is never executed and never served, and what
// the client calls it is text only. Whatever was acknowledged survives a kill and a power cut.
// Uploads: thread-safe; must outlive the server whose router has its routes.
// Failure: the constructor throws Exception(permission_denied, unavailable) when the folder cannot be used; clients get
// problems. One upload that cannot be read is logged and passed over.
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

#include "reeltag/base/config.hpp"
#include "reeltag/http/router.hpp"

namespace reeltag::serve {

struct UploadOptions {
  std::int64_t max_bytes = 1LL << 30;
  double keep_hours = 24;
  int max_open = 32;
  std::int64_t min_free_bytes = 1LL << 30;
};
template <class V>
void visit(V& v, UploadOptions& c) {
  v("max_bytes", c.max_bytes, "Bytes of one uploaded video", config::Range{1, 1e15});
  v("keep_hours", c.keep_hours, "Hours after which an unfinished upload is removed", config::Range{0.01, 8760});
  v("max_open", c.max_open, "Unfinished uploads of one owner", config::Range{1, 1e6});
  v("min_free_bytes", c.min_free_bytes, "Bytes of the disk that uploads leave free", config::Range{0, 1e15});
}

struct CompletedUpload {
  std::string id = {}, owner = {};
  std::string name = {};          // of the file, as the client says, without folders; empty where it says none
  std::string content_type = {};  // likewise, without parameters
  std::filesystem::path file = {};
  std::int64_t bytes = 0;
  std::map<std::string, std::string> metadata = {};  // what is UTF-8 text of tus' metadata or of a form's fields
  double deadline = 0;                               // seconds, from the metadata "deadline"; 0: none
};

// A whole upload becomes a job: gives the job's id. Called again for the same upload it gives the same id. What it
// throws is answered 503; the upload stays and is tried again.
using OnFinished = std::function<std::string(const CompletedUpload&)>;
// Whose request it is, or the answer that refuses it.
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

  // One body as it arrives: video/*, image/gif or application/octet-stream, its name in Content-Disposition or ?name=;
  // or a form with the file in the field `file`. Without its end nothing of it stays. The limits are kept here: the
  // route's max_body must leave room for them (kAnyBody).
  Begun begin(const http::server::Request& request, const std::string& owner,
              std::function<http::server::Response(const std::string& job)> answer);

  // At start: makes jobs of the whole uploads that have none yet.
  void recover();
  // A whole upload whose bytes are still here.
  [[nodiscard]] std::optional<CompletedUpload> find(const std::string& id) const;
  // Its job has ended: the bytes go. Until it would have expired tus still answers that it is whole, and with which
  // job.
  void remove(const std::string& id);
  // Removes those over keep_hours that are unfinished (how many), and those whose job has ended, where a kill came
  // before remove(). Call it every few minutes.
  std::int64_t expire(const std::function<bool(const std::string& job)>& has_ended);

  static constexpr std::int64_t kAnyBody = INT64_MAX;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::serve
