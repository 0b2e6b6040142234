// Parses and formats the URL of a store in S3. Plain values; any thread. Failures throw. Private to the store.
//
//   auto place = parse_s3_url("s3://bucket/some/prefix?region=eu-west-1");
//   place.endpoint = "127.0.0.1:9000"; s3_url_of(place);
#pragma once

#include <string>

namespace reeltag::store {

struct S3Place {
  std::string bucket;
  std::string prefix;            // of all keys, without '/' at either end; may be empty
  std::string region;            // empty: detected
  std::string endpoint;          // "host:port" of a server other than Amazon's; empty: Amazon's
  std::string scheme = "https";  // or http
  bool virtual_hosts = false;    // the bucket is part of the host name at a custom endpoint too

  // The store's path in Arrow's file system: bucket and prefix.
  [[nodiscard]] std::string root() const { return prefix.empty() ? bucket : bucket + "/" + prefix; }
};

// s3://bucket/prefix?region=&endpoint_override=&scheme=&force_virtual_addressing=, percent-encoded. Throws
// invalid_argument for a malformed URL, an unknown option, or a secret: secrets belong in the environment.
S3Place parse_s3_url(const std::string& url);

std::string s3_url_of(const S3Place& place);

}  // namespace reeltag::store
