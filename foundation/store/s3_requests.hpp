// S3 requests that Arrow's file system lacks: list and abort incomplete uploads, and remove an object without leaving
// an empty "folder/" in its place. Thread-safe; blocks. Retries a busy or silent server within the budget. Fails with
// Exception as the store does. Private to the store.
//
//   S3Requests requests(place, region, credentials, options);
//   for (const auto& upload : requests.uploads()) requests.end(upload);
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reeltag/http.hpp"
#include "reeltag/store.hpp"
#include "s3_url.hpp"
#include "signature.hpp"

namespace reeltag::store {

// The file of trusted certificates: $AWS_CA_BUNDLE, $SSL_CERT_FILE or the system's; empty if there is none. Arrow's
// client would look where another distribution keeps it.
std::string authorities_file();

class S3Requests {
 public:
  // credentials: called for each request, because they may expire.
  S3Requests(S3Place place, std::string region, std::function<Credentials()> credentials, const Options& options);

  // path: bucket and key, as in Arrow's file system. No error if there is no such object.
  void remove(const std::string& path, const std::string& doing);
  // Incomplete uploads below the store's prefix, oldest first; their keys are given without it.
  std::vector<UnfinishedUpload> uploads();
  // False if it no longer existed.
  bool end(const UnfinishedUpload& upload);

 private:
  http::Response send(UnsignedRequest request, const std::string& doing);
  [[nodiscard]] std::string host() const;
  // The path of an object's key; of the bucket if the key is empty.
  [[nodiscard]] std::string path_of(const std::string& key) const;

  S3Place place_;
  std::string region_;
  std::function<Credentials()> credentials_;
  http::ClientOptions http_;
  double retry_seconds_;
  bool host_has_bucket_;
};

}  // namespace reeltag::store
