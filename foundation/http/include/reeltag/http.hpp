// Fetching over HTTP and HTTPS what a user or a page named: bounded in bytes and time, and kept away from this machine
// and its network, so that a URL cannot be used to reach what only the server itself can (server-side request forgery).
//
// Functions: any thread, any number at once; they block. What goes wrong with one URL comes back as Error that names
// it: invalid_argument (no such URL), unsupported (another scheme), permission_denied (a private address), not_found,
// too_large, timeout, unavailable, interrupted. Wrong options throw Exception(invalid_config).
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
  // The same of a download to a file, which is larger and goes on where it ended.
  std::int64_t max_file_bytes = 8LL << 30;
  double file_timeout = 6 * 3600.0;
  double connect_timeout = 15.0;  // seconds for one connection
  int max_redirects = 5;
  bool allow_private = false;           // loopback, private, link-local and other addresses that are not public
  std::vector<std::string> allow = {};  // such addresses or networks that may be reached: "10.1.0.0/16", "::1"
  std::string ca_file;                  // certificates to trust instead of the system's
  // What a caller knows of the place; no settings.
  std::string proxy = {};                 // "http://HOST:PORT"; its address must be allowed as any other
  std::vector<std::string> headers = {};  // sent along, "Referer: ..."; a Cookie not to another host of a redirect
  bool links_change = false;              // the address of a file is another each time; what it holds is the same
};
template <class V>
void visit(V& v, ClientOptions& c) {
  v("max_bytes", c.max_bytes, "Largest download in bytes", config::Range{1, 1e15});
  v("timeout", c.timeout, "Longest time in seconds for one download", config::Range{0.1, 86400});
  v("max_file_bytes", c.max_file_bytes, "Largest download of weights in bytes", config::Range{1, 1e15});
  v("file_timeout", c.file_timeout, "Longest time in seconds for one download of weights", config::Range{0.1, 1e6});
  v("connect_timeout", c.connect_timeout, "Longest time in seconds to connect", config::Range{0.1, 3600});
  v("max_redirects", c.max_redirects, "Most redirects followed", config::Range{0, 50});
  v("allow_private", c.allow_private, "Reach also private, loopback and other addresses that are not public");
  v("allow", c.allow, "Such addresses or networks that may be reached, e.g. [10.1.0.0/16]");
  v("ca_file", c.ca_file, "Certificates to trust (PEM) instead of the system's");
}

struct Download {
  std::string url;           // where it came from in the end, behind redirects
  std::string content_type;  // as the server said; may be empty
  std::int64_t bytes = 0;
};

// Takes the next bytes; false ends the download with Code::unavailable (a full disk).
using Sink = std::function<bool(std::string_view part)>;
Result<Download> download(const std::string& url, const Sink& sink, const ClientOptions& options);

// Called as bytes come: how many there are, and how many there will be; 0 while that is unknown.
using OnBytes = std::function<void(std::int64_t done, std::int64_t total)>;

struct FileDownload {
  std::int64_t bytes = 0;    // of the whole file
  std::int64_t resumed = 0;  // of these, how many were there already and not fetched again
};

// Fetches into a file that appears whole or not at all, and goes on where an earlier call with this URL ended, however
// it ended. Until then the bytes are in PATH.part; PATH.json remembers {"url","etag","last_modified","size"}, so that
// bytes of two versions never meet: where the server's file has changed, or the server cannot tell, it starts over. A
// PATH of the same URL is not fetched again. With options.links_change it goes on at another URL too, where the entity
// tag is the same. A web page in place of a file is refused (unsupported) and costs nothing
// that was there. Another process at the same file: unavailable. A folder that cannot be written throws Exception.
// status, where given, becomes that of the last answer, and 0 where none came.
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
  std::map<std::string, std::string> headers = {};  // by names in lower case; of one name the last
  std::string body = {};
};

// One exchange with an API, its answer in memory. Whatever the status, it is an answer and no failure. Redirects are
// not followed, because headers may hold a secret. Bounds: options.timeout, and of the answer max_bytes (too_large).
Result<Response> send(const Request& request, const ClientOptions& options, std::int64_t max_bytes = 16LL << 20);

// Removes what download_to_file() left at this path, whole or not.
void remove_download(const std::filesystem::path& path);

// Whether text is an http or https URL, by its beginning.
bool is_url(std::string_view text);

}  // namespace reeltag::http
