// Videos that yt-dlp finds: for a hashtag the list at collect.ytdlp.address, and the profiles, playlists and videos of
// collect.ytdlp.urls, which are asked for by their address in place of a hashtag. yt-dlp says what there is and where
// the bytes are (bridges/ytdlp, docs/adr/0036); fetching them is the engine's. One thread.
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
  // Throws invalid_config for an address without {hashtag} or of another scheme than http and https.
  YtdlpSource(const YtdlpConfig& config, YtdlpChild child);

  [[nodiscard]] std::string_view name() const override { return "ytdlp"; }
  [[nodiscard]] std::string_view site() const override { return "tiktok"; }
  [[nodiscard]] std::string scope() const override { return config_.address; }
  tl::expected<Page, SourceFailure> page(const PageRequest& ask, Gate& gate) override;
  [[nodiscard]] std::vector<std::string> preview(const PageRequest& ask) const override;

 private:
  // What a list has at one place. Where the place is a video itself, all is known of it at once.
  struct Entry {
    std::string url;
    Item item;
    bool known = false;  // the whole item, not only id and site
  };
  // A part of a list, kept between pages: it need not be asked for again for each of them.
  struct Listing {
    std::string address;
    std::int64_t from = 1;  // place of the first entry, from 1
    std::vector<Entry> entries = {};
    bool last = false;  // nothing comes behind
    bool one = false;   // it is no list, but a video

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

// collect.ytdlp.urls and the lines of urls_file. Throws invalid_config for what is no http or https address.
std::vector<std::string> ytdlp_addresses(const YtdlpConfig& config);

}  // namespace reeltag::collect
