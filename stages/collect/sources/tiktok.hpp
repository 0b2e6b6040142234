// The site www.tiktok.com as a source: the pages of a hashtag as the site's own web page asks for them, in a browser
// that TikTokApi drives (bridges/tiktok). Here is what the answers mean; the bridge only asks. Requests: the start page
// once for each browser, the hashtag by its name, then its pages; each passes the gate. A challenge page is
// SourceError::blocked. One thread.
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
  // command: what starts the bridge; called when it is first needed. May throw invalid_config, and then so does page().
  using Command = std::function<std::vector<std::string>()>;
  TikTokSource(const TikTokConfig& config, Command command, const std::stop_token& stop);

  [[nodiscard]] std::string_view name() const override { return "tiktok"; }
  [[nodiscard]] std::string_view site() const override { return "tiktok"; }
  tl::expected<Page, SourceFailure> page(const PageRequest& ask, Gate& gate) override;
  [[nodiscard]] std::vector<std::string> preview(const PageRequest& ask) const override;

 private:
  tl::expected<void, SourceFailure> open(Gate& gate);
  // The site's number of a hashtag; empty: it has none of this name.
  tl::expected<std::string, SourceFailure> challenge_of(const std::string& hashtag, Gate& gate);
  tl::expected<nlohmann::json, SourceFailure> ask_bridge(const nlohmann::json& request, bool counted, Gate& gate);
  [[nodiscard]] Page page_of(const nlohmann::json& answer, const std::string& challenge) const;
  void keep_session(const nlohmann::json& reply);

  TikTokConfig config_;
  Command command_;
  Bridge bridge_;
  TikTokSession session_;
};

// Throws invalid_config where there is no Chromium; as python_of() does.
std::vector<std::string> tiktok_command(const TikTokConfig& config, const std::filesystem::path& home,
                                        const std::stop_token& stop);

// The browser that would be used; empty where there is none.
std::filesystem::path find_chromium(const TikTokConfig& config);

}  // namespace reeltag::collect
