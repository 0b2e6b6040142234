#include "s3_requests.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "reeltag/base/error.hpp"
#include "reeltag/base/percent.hpp"
#include "reeltag/base/stop.hpp"
#include "retry.hpp"
#include "url.hpp"
#include "xml.hpp"

namespace reeltag::store {
namespace {

using Clock = std::chrono::steady_clock;

// Source: Amazon S3 API, error responses.
[[noreturn]] void raise_answer(const http::Response& answer, const std::string& doing) {
  const auto name = xml_text(answer.body, "Code"), message = xml_text(answer.body, "Message");
  const Code code = answer.status == 403   ? Code::permission_denied
                    : answer.status == 404 ? Code::not_found
                                           : Code::unavailable;
  throw Exception(code, doing + ": the server answered " + std::to_string(answer.status) +
                            (name.empty() ? "" : " " + name) + (message.empty() ? "" : ": " + message));
}

bool is_for_later(const http::Response& answer) {
  return answer.status >= 500 || answer.status == 429 || xml_text(answer.body, "Code") == "RequestTimeout";
}

std::int64_t seconds_of(const std::string& iso) {  // 2026-01-31T12:00:00.000Z
  std::tm utc{};
  if (strptime(iso.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return 0;
  return timegm(&utc);
}

}  // namespace

std::string authorities_file() {
  for (const auto* name : {"AWS_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const char* file = std::getenv(name); file != nullptr && *file != '\0') return file;
  }
  constexpr const char* kSystem = "/etc/ssl/certs/ca-certificates.crt";
  std::error_code ignored;
  return std::filesystem::exists(kSystem, ignored) ? kSystem : "";
}

S3Requests::S3Requests(S3Place place, std::string region, std::function<Credentials()> credentials,
                       const Options& options)
    : place_(std::move(place)),
      region_(std::move(region)),
      credentials_(std::move(credentials)),
      retry_seconds_(options.retry_seconds),
      // A certificate for *.s3.amazonaws.com does not cover names with dots.
      host_has_bucket_((place_.endpoint.empty() || place_.virtual_hosts) &&
                       place_.bucket.find('.') == std::string::npos) {
  http_.timeout = options.timeout;
  http_.connect_timeout = options.connect_timeout;
  http_.allow_private = true;  // the store's server is chosen by its administrator
  http_.ca_file = authorities_file();
}

std::string S3Requests::host() const {
  auto server = place_.endpoint.empty() ? "s3." + region_ + ".amazonaws.com" : place_.endpoint;
  // The signature covers the Host header, from which clients omit the scheme's default port.
  const std::string_view own_port = place_.scheme == "https" ? ":443" : ":80";
  if (server.ends_with(own_port)) server.resize(server.size() - own_port.size());
  return host_has_bucket_ ? place_.bucket + "." + server : server;
}

std::string S3Requests::path_of(const std::string& key) const {
  return (host_has_bucket_ ? "" : "/" + place_.bucket) + "/" + percent_encoded(key, "/");
}

http::Response S3Requests::send(UnsignedRequest request, const std::string& doing) {
  request.host = host();
  const auto query = query_of(request);
  const auto url = place_.scheme + "://" + request.host + request.path + (query.empty() ? "" : "?" + query);
  const auto end = Clock::now() + std::chrono::duration<double>(retry_seconds_);
  for (std::int64_t attempt = 0;; ++attempt) {
    auto answer = http::send(
        {.url = url, .headers = sign(request, credentials_(), region_, std::time(nullptr)), .method = request.method},
        http_);
    const bool again = !answer || is_for_later(*answer);
    if (!again) return std::move(*answer);
    if (Clock::now() >= end || stop::token().stop_requested()) {
      if (answer) return std::move(*answer);
      throw Exception(answer.error().code, doing + ": " + answer.error().message);
    }
    std::this_thread::sleep_for(backoff(attempt));
  }
}

void S3Requests::remove(const std::string& path, const std::string& doing) {
  const auto key = path.substr(place_.bucket.size() + 1);
  const auto answer = send({.method = "DELETE", .host = {}, .path = path_of(key)}, doing);
  if (answer.status >= 300 && answer.status != 404) raise_answer(answer, doing);
}

std::vector<UnfinishedUpload> S3Requests::uploads() {
  const auto doing = "listing the uploads of " + s3_url_of(place_);
  const auto prefix = place_.prefix.empty() ? "" : place_.prefix + "/";
  std::vector<UnfinishedUpload> found;
  std::string key_marker, upload_marker;
  do {
    UnsignedRequest request{
        .method = "GET", .host = {}, .path = path_of({}), .query = {{"uploads", ""}, {"prefix", prefix}}};
    if (!key_marker.empty()) {
      request.query["key-marker"] = key_marker;
      request.query["upload-id-marker"] = upload_marker;
    }
    const auto answer = send(std::move(request), doing);
    if (answer.status != 200) raise_answer(answer, doing);
    for (const auto upload : xml_elements(answer.body, "Upload")) {
      const auto key = xml_text(upload, "Key");
      if (!key.starts_with(prefix)) continue;
      found.push_back(
          {key.substr(prefix.size()), xml_text(upload, "UploadId"), seconds_of(xml_text(upload, "Initiated"))});
    }
    const auto last = std::exchange(key_marker, xml_text(answer.body, "NextKeyMarker"));
    const auto last_upload = std::exchange(upload_marker, xml_text(answer.body, "NextUploadIdMarker"));
    if (xml_text(answer.body, "IsTruncated") != "true" || (key_marker == last && upload_marker == last_upload)) break;
  } while (!key_marker.empty());
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.begun < b.begun; });
  return found;
}

bool S3Requests::end(const UnfinishedUpload& upload) {
  const auto doing = "ending the upload of '" + upload.name + "' to " + s3_url_of(place_);
  const auto key = place_.prefix.empty() ? upload.name : place_.prefix + "/" + upload.name;
  const auto answer =
      send({.method = "DELETE", .host = {}, .path = path_of(key), .query = {{"uploadId", upload.upload}}}, doing);
  if (answer.status >= 300 && answer.status != 404) raise_answer(answer, doing);
  return answer.status != 404;
}

}  // namespace reeltag::store
