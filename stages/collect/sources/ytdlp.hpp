// Collects videos that yt-dlp finds: the list at collect.ytdlp.address for a hashtag, and the profiles, playlists and
// videos of collect.ytdlp.urls, requested by address instead of hashtag. yt-dlp lists videos and their byte addresses
// (bridges/ytdlp, docs/adr/0036); the engine fetches the bytes. One thread. Failures: see source.hpp.
//
//   YtdlpSource source(config.ytdlp, std::move(child));
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "crawl/source.hpp"
#include "sources/ytdlp_child.hpp"

namespace reeltag::collect {

class YtdlpSource final : public Source {
 public:
  // Throws invalid_config for an address without {hashtag}, or a scheme other than http and https.
  YtdlpSource(const YtdlpConfig& config, YtdlpChild child);

  [[nodiscard]] std::string_view name() const override { return "ytdlp"; }
  [[nodiscard]] std::string_view site() const override { return "tiktok"; }
  [[nodiscard]] std::string scope() const override { return config_.address; }
  tl::expected<Page, SourceFailure> page(const PageRequest& ask, Gate& gate) override;
  [[nodiscard]] std::vector<std::string> preview(const PageRequest& ask) const override;

 private:
  // One entry of a list. If the address is itself a video, the entry is complete at once.
  struct Entry {
    std::string url;
    Item item;
    bool known = false;  // the whole item, not only id and site
  };
  // Part of a list, kept between pages so that it is not requested again for each.
  struct Listing {
    std::string address;
    std::int64_t from = 1;  // position of the first entry, from 1
    std::vector<Entry> entries = {};
    bool last = false;  // the list ends here
    bool one = false;   // not a list but a single video

    [[nodiscard]] bool has(const std::string& of, std::int64_t place) const;
  };

  [[nodiscard]] std::string address_of(const std::string& asked) const;
  tl::expected<void, SourceFailure> list(const std::string& address, std::int64_t place, Gate& gate);
  tl::expected<Page, SourceFailure> page_from(std::int64_t place, const PageRequest& ask, Gate& gate);
  tl::expected<void, SourceFailure> ask_items(std::vector<Entry*> wanted, Gate& gate);

  YtdlpConfig config_;
  YtdlpChild child_;
  Listing listed_;
};

// collect.ytdlp.urls and the lines of urls_file. Throws invalid_config for anything but an http or https address.
std::vector<std::string> ytdlp_addresses(const YtdlpConfig& config);

}  // namespace reeltag::collect
