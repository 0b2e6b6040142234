// TikTok's Research API as a source: client credentials, queries by hashtag in windows of at most 30 days. It returns
// metadata, not bytes; those come from research.media if that is set.
// One thread. Refers to the clock. Failures: see source.hpp. Source of the formats: developers.tiktok.com, "Research
// API: query videos" and "client access token".
//
//   ResearchSource source(config.research, {.key = Secret(key), .secret = Secret(secret)}, http, clock);
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "crawl/rate_limiter.hpp"
#include "crawl/source.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::collect {

struct Credentials {
  Secret key, secret;
};
// From REELTAG_RESEARCH_CLIENT_KEY and REELTAG_RESEARCH_CLIENT_SECRET; empty if they are not set.
Credentials research_credentials();

class ResearchSource final : public Source {
 public:
  // Throws invalid_config for malformed dates, or an API address without https (loopback excepted).
  ResearchSource(const ResearchConfig& config, Credentials credentials, const http::ClientOptions& http, Clock& clock);

  [[nodiscard]] std::string_view name() const override { return "research"; }
  [[nodiscard]] std::string_view site() const override { return "tiktok"; }
  [[nodiscard]] std::string scope() const override;
  [[nodiscard]] std::int64_t daily_requests() const override { return config_.daily_requests; }
  tl::expected<Page, SourceFailure> page(const PageRequest& ask, Gate& gate) override;
  [[nodiscard]] std::vector<std::string> preview(const PageRequest& ask) const override;

 private:
  // Position in a query: its window of days, and the offset reached.
  struct PageCursor {
    std::int64_t from = 0, until = 0;  // days since 1970; until: of the whole collection
    std::int64_t offset = 0;
    std::string search_id = {};

    [[nodiscard]] std::int64_t window_end() const;
  };

  [[nodiscard]] PageCursor place_of(const std::string& cursor) const;
  [[nodiscard]] static std::string cursor_of(const PageCursor& place);
  [[nodiscard]] Page page_of(const nlohmann::json& data, const PageCursor& place) const;
  [[nodiscard]] nlohmann::json body_of(const PageRequest& ask, const PageCursor& place) const;
  tl::expected<nlohmann::json, SourceFailure> query(const nlohmann::json& body, Gate& gate);
  tl::expected<void, SourceFailure> renew_token(Gate& gate);
  [[nodiscard]] std::string query_url() const;
  [[nodiscard]] std::int64_t today() const;

  ResearchConfig config_;
  Credentials credentials_;
  http::ClientOptions http_;
  Clock& clock_;
  std::int64_t since_ = 0, until_ = 0;  // days since 1970; 0: not given
  Secret token_;
  double token_end_ = 0.0;  // time of clock_ at which it expires
};

// One video of an answer. Any field may be missing; fields present have the right type.
Item research_item(const nlohmann::json& video, const std::string& media);

}  // namespace reeltag::collect
