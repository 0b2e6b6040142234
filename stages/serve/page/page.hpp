// The web page: the files of build/web/dist, embedded at build time. If the page was not built, a single index.html
// that says how to build it.
// Plain values with static lifetime; any thread; cannot fail.
//
//   for (const auto& asset : serve::page_assets()) routes.emplace(asset.path, &asset);
#pragma once

#include <span>
#include <string_view>

namespace reeltag::serve {

struct Asset {
  std::string_view path;          // below "/", e.g. "assets/index-3fa8.js"; "index.html" is the page itself
  std::string_view content_type;  // with charset
  std::string_view bytes;
  std::string_view etag;   // strong, in quotes, as in the header
  bool immutable = false;  // the name contains a hash of the content: cacheable without expiry
};

// Sorted by path, unique; always contains "index.html".
std::span<const Asset> page_assets();

}  // namespace reeltag::serve
