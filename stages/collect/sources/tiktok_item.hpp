// Parses one video of the site's answer, and builds the request headers for its bytes. Values and functions, any
// thread. A malformed video becomes an item with an outcome; nothing fails.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"

namespace reeltag::collect {

// Headers for fetching bytes: those of the session's own requests, and its cookies on the hosts they belong to.
struct TikTokSession {
  struct Cookie {
    std::string name, value, domain;  // ".tiktok.com": that domain and all below; else one host
  };
  std::string user_agent = {};
  std::vector<Cookie> cookies = {};

  [[nodiscard]] std::vector<std::string> headers_for(const std::string& url) const;
};

// One item of an answer. Any field may be missing; fields present have the right type.
Item tiktok_item(const nlohmann::json& video, const TikTokSession& session);

}  // namespace reeltag::collect
