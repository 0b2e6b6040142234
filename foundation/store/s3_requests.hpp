// The few requests that Arrow's file system cannot make: uploads that nobody completed, and removing an object without
// leaving an empty "folder/" in its place. Thread-safe; blocks. A busy or silent server is asked again within the
// budget. Fails with Exception as the store does. Private to the store.
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

// The file of certificates to trust: $AWS_CA_BUNDLE, $SSL_CERT_FILE or the system's; empty where there is none. Arrow's
// client would look where another distribution has it.
std::string authorities_file();

class S3Requests {
 public:
  // credentials: asked for each request, because they may expire.
  S3Requests(S3Place place, std::string region, std::function<Credentials()> credentials, const Options& options);

  // path: bucket and key, as in Arrow's file system. No error where there is none.
  void remove(const std::string& path, const std::string& doing);
  // Uploads of keys below the store's prefix, whose key is named without it; oldest first.
  std::vector<UnfinishedUpload> uploads();
  // False when it was gone.
  bool end(const UnfinishedUpload& upload);

 private:
  http::Response send(UnsignedRequest request, const std::string& doing);
  [[nodiscard]] std::string host() const;
  // Of an object's key; empty: of the bucket.
  [[nodiscard]] std::string path_of(const std::string& key) const;

  S3Place place_;
  std::string region_;
  std::function<Credentials()> credentials_;
  http::ClientOptions http_;
  double retry_seconds_;
  bool host_has_bucket_;
};

}  // namespace reeltag::store
