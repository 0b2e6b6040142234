// Runs live collection for any source: requests pages in order and applies the rate, retries, daily quota and
// deadlines; stores videos and posts, and saves the cursors. Private; see reeltag/collection.hpp, also for failures.
// One thread. One object per run; refers to its arguments, which must outlive it.
//
//   Engine engine(source, policy, config, options, catalog, store, clock, on_failure);
//   CollectReport report = engine.run({"cats"});
#pragma once

#include <optional>
#include <span>
#include <string>

#include "crawl/authors.hpp"
#include "crawl/fetch.hpp"
#include "crawl/journal.hpp"
#include "crawl/policy.hpp"
#include "crawl/rate_limiter.hpp"
#include "crawl/source.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::collect {

class Engine final : private Gate {
 public:
  Engine(Source& source, const Policy& policy, const CollectConfig& config, const CollectOptions& options,
         catalog::Catalog& catalog, store::Store& store, Clock& clock, const OnFailure& on_failure);

  // hashtags: normalized.
  CollectReport run(std::span<const std::string> hashtags);

 private:
  // Whether to continue with the next hashtag or to end the run.
  enum class NextStep { hashtag, nothing };

  // The outcome of one item, and the rows to write for it.
  struct ItemResult {
    Outcome outcome = Outcome::duplicate;
    std::string why = {};
    bool tried = false;  // it was new: it counts towards the limit
    std::optional<catalog::Post> post = {};
    std::optional<catalog::Video> video = {};
    std::optional<ingest::IngestedVideo> stored = {};  // if the bytes are new
  };

  tl::expected<void, SourceFailure> enter(bool counted) override;
  NextStep collect(const std::string& hashtag, HashtagCursor& at);
  NextStep end(const std::string& hashtag, HashtagCursor& at, const std::string& ended,
               const std::string& message = {});
  NextStep source_error(const std::string& hashtag, HashtagCursor& at, const SourceFailure& failure);
  tl::expected<Page, SourceFailure> ask(const std::string& hashtag, const HashtagCursor& at);

  [[nodiscard]] std::string download_of(const Item& item) const;
  [[nodiscard]] std::string site_of(const Item& item) const;
  [[nodiscard]] bool is_settled(const catalog::Post& known) const;
  bool take(const Item& item, const std::string& hashtag, HashtagCursor& at);
  bool write(const Item& item, const std::string& hashtag, ItemResult result, HashtagCursor& at);
  ItemResult judge(const Item& item, const std::string& hashtag);
  bool is_forgotten(const Item& item);
  ItemResult fetch(const Item& item, catalog::Post post);
  FetchResult get(const Item& item);
  ItemResult met_again(const catalog::Post& known, const Item& item, const std::string& hashtag);
  catalog::Post post_of(const Item& item, const std::string& hashtag);
  void report(const Item& item, const std::string& hashtag, const ItemResult& result);

  void wait(double seconds);
  void check_stop() const;
  [[nodiscard]] bool late() { return clock_.now() > deadline_; }

  Source& source_;
  const CollectConfig& config_;
  const CollectOptions& options_;
  catalog::Catalog& catalog_;
  store::Store& store_;
  Clock& clock_;
  const OnFailure& on_failure_;
  TokenBucket rate_;
  Journal journal_;
  Fetcher fetcher_;
  Authors authors_;
  double deadline_;
  int refusals_ = 0;  // consecutive items refused one by one (Item::only_this)
};

// Seconds since 1970 as "2026-11-26", UTC.
std::string day_of(std::int64_t seconds);

}  // namespace reeltag::collect
