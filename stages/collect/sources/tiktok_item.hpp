// One video as the site tells it, and what its bytes are asked for with. Values and functions; any thread.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"

namespace reeltag::collect {

// What bytes are asked for with: what the session's own requests carry, and its cookies where they belong.
struct TikTokSession {
  struct Cookie {
    std::string name, value, domain;  // of the domain ".tiktok.com" and all below, or of one host
  };
  std::string user_agent = {};
  std::vector<Cookie> cookies = {};

  [[nodiscard]] std::vector<std::string> headers_for(const std::string& url) const;
};

// One item of an answer. Anything may be missing; what is there is of the right kind.
Item tiktok_item(const nlohmann::json& video, const TikTokSession& session);

}  // namespace reeltag::collect
