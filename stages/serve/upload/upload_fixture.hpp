// Test fixture: a server with upload routes only, and helpers to send requests. X-Owner names the owner; a job's id is
// "job-" and the upload's id. One Site per test; send() from any thread.
#pragma once

#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/upload.hpp"
#include "server_fixture.hpp"

namespace reeltag::serve {

using http::server::Raw;
using http::server::RawAnswer;

inline std::string head(const std::string& method, const std::string& path, const std::string& headers = "",
                        const std::string& owner = "me") {
  return method + ' ' + path + " HTTP/1.1\r\nHost: a\r\nX-Owner: " + owner + "\r\n" + headers + "\r\n";
}
inline std::string tus(const std::string& more = "") { return "Tus-Resumable: 1.0.0\r\n" + more; }
inline std::string length_of(std::size_t bytes) { return "Content-Length: " + std::to_string(bytes) + "\r\n"; }
// The headers of a PATCH.
inline std::string part_at(std::size_t offset, const std::string& more = "") {
  return tus("Content-Type: application/offset+octet-stream\r\nUpload-Offset: " + std::to_string(offset) + "\r\n" +
             more);
}
// Bytes that differ at neighbouring positions, so that a misplaced part is noticed.
inline std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 4096 * 7);
  return bytes;
}
inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Site {
 public:
  explicit Site(UploadOptions options = {}, const std::filesystem::path& folder = {})
      : folder_(folder.empty() ? own_.path() / "uploads" : folder),
        uploads_(folder_, small(options), [this](const CompletedUpload& upload) { return finished(upload); }),
        server_(router(), {.max_connections_per_address = 1000}) {}

  RawAnswer send(const std::string& method, const std::string& path, const std::string& headers = "",
                 const std::string& body = "", const std::string& owner = "me") {
    Raw client(server_.port());
    const std::string length = body.empty() && method == "HEAD" ? "" : length_of(body.size());
    return client.exchange(head(method, path, headers + length, owner) + body, method == "HEAD");
  }
  // Creates an upload and returns its path.
  std::string create(std::size_t length, const std::string& more = "", const std::string& owner = "me") {
    const auto answer =
        send("POST", "/v1/uploads", tus("Upload-Length: " + std::to_string(length) + "\r\n" + more), "", owner);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.header("location");
  }
  std::string offset_of(const std::string& path) { return send("HEAD", path, tus()).header("upload-offset"); }

  [[nodiscard]] std::filesystem::path file_of(const std::string& path) const { return folder_of(path) / "data"; }
  [[nodiscard]] std::filesystem::path folder_of(const std::string& path) const {
    return folder_ / path.substr(path.rfind('/') + 1);
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  Uploads& uploads() { return uploads_; }
  [[nodiscard]] int port() const { return server_.port(); }

  // How often each upload was passed to OnFinished, and the last one passed.
  std::map<std::string, int> passed_on() {
    const std::lock_guard lock(mutex_);
    return passed_on_;
  }
  CompletedUpload last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  std::atomic<bool> refuses_jobs = false;
  std::atomic<int> job_milliseconds = 0;

 private:
  static UploadOptions small(UploadOptions options) {
    if (options.min_free_bytes == UploadOptions{}.min_free_bytes) options.min_free_bytes = 0;
    return options;
  }

  Result<UploadJob> finished(const CompletedUpload& upload) {
    std::this_thread::sleep_for(std::chrono::milliseconds(job_milliseconds));
    if (refuses_jobs) throw Exception(Code::unavailable, "no jobs today");
    const std::lock_guard lock(mutex_);
    if (!upload.request_key.empty()) {
      const auto [first, is_new] = of_key_.try_emplace(upload.owner + upload.request_key, upload);
      if (first->second.request_digest != upload.request_digest) return fail(Code::invalid_argument, "another");
      if (first->second.id != upload.id) return UploadJob{"job-" + first->second.id, false};
    }
    ++passed_on_[upload.id];
    last_ = upload;
    return UploadJob{"job-" + upload.id};
  }

  http::server::Router router() {
    using http::server::Request;
    using http::server::Response;
    http::server::Router router;
    uploads_.add_routes(router, [](const Request& request) -> std::variant<std::string, Response> {
      const std::string owner(request.header("x-owner"));
      if (owner == "nobody") return http::server::problem(401, "unauthorized", "who are you?");
      return owner;
    });
    router.upload("POST", "/v1/videos",
                  [this](const Request& request) {
                    return uploads_.begin(request, std::string(request.header("x-owner")), [](const std::string& job) {
                      Response response{.status = 202};
                      return std::move(response).with("Location", "/v1/jobs/" + job);
                    });
                  },
                  {.max_body = Uploads::kAnyBody});
    return router;
  }

  TemporaryFolder own_;
  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, int> passed_on_;
  std::map<std::string, CompletedUpload> of_key_;  // by owner and request key
  CompletedUpload last_;
  Uploads uploads_;
  http::server::Running server_;
};

}  // namespace reeltag::serve
