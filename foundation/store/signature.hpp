// Signs requests without a body by AWS Signature Version 4. Functions; any thread. Private to the store.
// Source: "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3 API.
//
//   auto headers = sign({.method = "GET", .host = host, .path = "/bucket", .query = {{"uploads", ""}}}, keys, region,
//   now);
#pragma once

#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace reeltag::store {

struct Credentials {
  std::string key, secret;
  std::string token = {};  // of temporary credentials
};

struct UnsignedRequest {
  std::string method, host;
  std::string path;                               // as sent: percent-encoded except '/'
  std::map<std::string, std::string> query = {};  // not encoded
};

// The query string as sent and signed.
std::string query_of(const UnsignedRequest& request);

// Returns "Authorization: ...", "x-amz-date: ..." and the other required headers; the client itself sends Host.
std::vector<std::string> sign(const UnsignedRequest& request, const Credentials& keys, const std::string& region,
                              std::time_t now);

}  // namespace reeltag::store
