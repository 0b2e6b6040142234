// The site www.tiktok.com as a source: loads the pages of a hashtag as the site's own web page does, in a browser
// driven by TikTokApi (bridges/tiktok). This class interprets the answers; the bridge only sends requests. Requests:
// the start page once per browser, the hashtag by its name, then its pages; each passes the gate. A challenge page is
// SourceError::blocked. One thread. Owns the bridge process.
//
//   TikTokSource source(config.tiktok, [&] { return tiktok_command(config.tiktok, home, stop); }, ca_file, stop);
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"
#include "reeltag/collection.hpp"
#include "sources/bridge.hpp"
#include "sources/tiktok_item.hpp"

namespace reeltag::collect {

class TikTokSource final : public Source {
 public:
  // command: returns the bridge's command line; called at the first request. May throw invalid_config, and then page()
  // does too.
  using Command = std::function<std::vector<std::string>()>;
  TikTokSource(const TikTokConfig& config, Command command, const std::stop_token& stop);

  [[nodiscard]] std::string_view name() const override { return "tiktok"; }
  [[nodiscard]] std::string_view site() const override { return "tiktok"; }
  tl::expected<Page, SourceFailure> page(const PageRequest& ask, Gate& gate) override;
  [[nodiscard]] std::vector<std::string> preview(const PageRequest& ask) const override;

 private:
  tl::expected<void, SourceFailure> open(Gate& gate);
  // The site's number of a hashtag; empty: no such hashtag.
  tl::expected<std::string, SourceFailure> challenge_of(const std::string& hashtag, Gate& gate);
  tl::expected<nlohmann::json, SourceFailure> ask_bridge(const nlohmann::json& request, bool counted, Gate& gate);
  [[nodiscard]] Page page_of(const nlohmann::json& answer, const std::string& challenge) const;
  void keep_session(const nlohmann::json& reply);

  TikTokConfig config_;
  Command command_;
  Bridge bridge_;
  TikTokSession session_;
};

// Throws invalid_config if there is no Chromium; otherwise as python_of() does.
std::vector<std::string> tiktok_command(const TikTokConfig& config, const std::filesystem::path& home,
                                        const std::stop_token& stop);

// The browser to use; empty if there is none.
std::filesystem::path find_chromium(const TikTokConfig& config);

}  // namespace reeltag::collect
