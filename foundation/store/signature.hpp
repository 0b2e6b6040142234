// AWS's Signature Version 4 for requests without a body: the headers that prove who asks. Any thread. Private to the
// store. Source: "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3 API.
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
  std::string token = {};  // of temporary ones
};

struct UnsignedRequest {
  std::string method, host;
  std::string path;                               // as it is sent: percent-encoded but for '/'
  std::map<std::string, std::string> query = {};  // not encoded
};

// The query as it is sent and signed.
std::string query_of(const UnsignedRequest& request);

// "Authorization: ...", "x-amz-date: ..." and what else goes with them; Host is the client's to send.
std::vector<std::string> sign(const UnsignedRequest& request, const Credentials& keys, const std::string& region,
                              std::time_t now);

}  // namespace reeltag::store
