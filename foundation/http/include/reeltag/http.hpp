// HTTP and HTTPS client for URLs from users and web pages. Limits bytes and time, and refuses addresses of this machine
// and its network, so that a URL cannot reach what only the server can (server-side request forgery).
//
// Functions: any thread, any number at once; they block. Results are values. Failures of one URL are returned as Error
// that names it: invalid_argument (malformed URL), unsupported (another scheme), permission_denied (a private address),
// not_found, too_large, timeout, unavailable, interrupted. Invalid options throw Exception(invalid_config).
//
//   auto got = http::download(url, [&](std::string_view part) { return write_all(file, part); }, options);
//   auto file = http::download_to_file(url, home / "downloads" / "weights", options);
//   auto answer = http::send({.url = url, .body = form}, options);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/base/error.hpp"

namespace reeltag::http {

struct ClientOptions {
  std::int64_t max_bytes = 512LL << 20;  // of one download
  double timeout = 300.0;                // seconds for one download, redirects included
  // The same limits for a download to a file, which may be larger and can be resumed.
  std::int64_t max_file_bytes = 8LL << 30;
  double file_timeout = 6 * 3600.0;
  double connect_timeout = 15.0;  // seconds to establish one connection
  std::int64_t min_rate = 1024;   // bytes a second of a transfer on average, after its first 10 seconds
  int max_redirects = 5;
  bool allow_private = false;           // allows loopback, private, link-local and other addresses that are not public
  std::vector<std::string> allow = {};  // non-public addresses or networks that may be reached: "10.1.0.0/16", "::1"
  std::string ca_file;                  // certificates to trust instead of the system's
  // Set by the calling code for its site; not part of the configuration.
  std::string proxy = {};  // "http://HOST:PORT"; its address must be allowed like any other
  std::vector<std::string> headers =
      {};                     // request headers, "Referer: ..."; a Cookie is not sent to another host of a redirect
  bool links_change = false;  // the file's URL changes between calls while its content stays the same
};
template <class V>
void visit(V& v, ClientOptions& c) {
  v("max_bytes", c.max_bytes, "Largest download in bytes", config::Range{1, 1e15});
  v("timeout", c.timeout, "Longest time in seconds for one download", config::Range{0.1, 86400});
  v("max_file_bytes", c.max_file_bytes, "Largest download of weights in bytes", config::Range{1, 1e15});
  v("file_timeout", c.file_timeout, "Longest time in seconds for one download of weights", config::Range{0.1, 1e6});
  v("connect_timeout", c.connect_timeout, "Longest time in seconds to connect", config::Range{0.1, 3600});
  v("min_rate", c.min_rate, "Bytes a second that a download must have on average, after its first 10 seconds",
    config::Range{0, 1e12});
  v("max_redirects", c.max_redirects, "Most redirects followed", config::Range{0, 50});
  v("allow_private", c.allow_private, "Reach also private, loopback and other addresses that are not public");
  v("allow", c.allow, "Such addresses or networks that may be reached, e.g. [10.1.0.0/16]");
  v("ca_file", c.ca_file, "Certificates to trust (PEM) instead of the system's");
}

struct Download {
  std::string url;           // the final URL, after redirects
  std::string content_type;  // from the server; may be empty
  std::int64_t bytes = 0;
};

// Receives the next bytes; returning false ends the download with Code::unavailable (a full disk).
using Sink = std::function<bool(std::string_view part)>;
Result<Download> download(const std::string& url, const Sink& sink, const ClientOptions& options);

// Reports bytes received so far and expected in total; total is 0 while unknown.
using OnBytes = std::function<void(std::int64_t done, std::int64_t total)>;

struct FileDownload {
  std::int64_t bytes = 0;    // of the whole file
  std::int64_t resumed = 0;  // how many of them an earlier call had fetched
};

// Downloads to a file that appears whole or not at all, and resumes where an earlier call with this URL stopped, for
// whatever reason. Until complete the bytes are in PATH.part; PATH.json stores {"url","etag","last_modified","size"},
// so that bytes of two versions are never mixed: if the server's file has changed, or the server cannot tell, the
// download starts over. A PATH that is complete for the same URL is not fetched again. With options.links_change it
// resumes from another URL too, if the entity tag is the same. A web page in place of a file is refused (unsupported)
// and leaves existing bytes alone. Fails with unavailable while another process downloads to the same path. Throws
// Exception for a folder that cannot be written. status, if given, receives the last response's status, or 0.
Result<FileDownload> download_to_file(const std::string& url, const std::filesystem::path& path,
                                      const ClientOptions& options, const OnBytes& on_bytes = {},
                                      int* status = nullptr);

struct Request {
  std::string url;
  std::vector<std::string> headers = {};  // "Accept: application/json"
  std::optional<std::string> body = {};   // makes it a POST
  std::string method = {};                // "DELETE"; empty: GET, or POST with a body
};

struct Response {
  int status = 0;
  std::map<std::string, std::string> headers = {};  // keys in lower case; the last one of a repeated name
  std::string body = {};
};

// Sends one API request and returns the response in memory. Any status counts as success. Redirects are not followed,
// because headers may contain a secret. Limits: options.timeout, and max_bytes for the response (too_large).
Result<Response> send(const Request& request, const ClientOptions& options, std::int64_t max_bytes = 16LL << 20);

// Removes the files that download_to_file() left at this path, complete or not.
void remove_download(const std::filesystem::path& path);

// Whether text starts like an http or https URL.
bool is_url(std::string_view text);

}  // namespace reeltag::http
