// The page: the files of build/web/dist, embedded when the program was built. Where the page was not built, one
// index.html that says how to build it.
// Plain values that live as long as the program; any thread; cannot fail.
//
//   for (const auto& asset : serve::page_assets()) routes.emplace(asset.path, &asset);
#pragma once

#include <span>
#include <string_view>

namespace reeltag::serve {

struct Asset {
  std::string_view path;          // below "/", e.g. "assets/index-3fa8.js"; "index.html" is the page itself
  std::string_view content_type;  // with its charset
  std::string_view bytes;
  std::string_view etag;   // strong, with its quotes, as the header has it
  bool immutable = false;  // the name has a hash of the content: may be cached for ever
};

// Sorted by path, none twice; "index.html" is always there.
std::span<const Asset> page_assets();

}  // namespace reeltag::serve
