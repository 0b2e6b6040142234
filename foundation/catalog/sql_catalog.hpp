// Implements Catalog on a Database: one connection, used by one thread at a time. Private to the catalog. Its queries
// have one text for all databases; sql_<subject>.cpp contains those of a subject.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "reeltag/catalog.hpp"
#include "sql_types.hpp"

namespace reeltag::catalog {

// A hashtag of a video.
struct Link {
  std::int64_t video_row = 0, position = 0;
  std::string typed, name;
};

class SqlCatalog final : public Catalog {
 public:
  // Migrates the database as needed. Takes ownership.
  explicit SqlCatalog(std::unique_ptr<Database> database);

  AddOutcome add(const Video& video) override;
  std::vector<AddOutcome> add_all(std::span<const Video> videos) override;
  std::optional<Video> get(std::string_view id) override;
  AddOutcome record(const ChangeSet& record) override;
  std::vector<AddOutcome> record_all(std::span<const ChangeSet> records) override;
  std::optional<Post> post(std::string_view site, std::string_view id) override;
  void each_post(const std::function<void(const Post&)>& visit) override;
  std::vector<std::pair<std::string, std::int64_t>> post_counts(std::string_view site) override;
  std::optional<std::string> note(std::string_view name) override;
  void each(const Filter& filter, const std::function<void(const Video&)>& visit) override;
  std::int64_t count(const Filter& filter) override;
  std::vector<std::pair<std::string, std::int64_t>> hashtag_counts() override;
  void each_grouping(const std::function<void(const SplitGrouping&)>& visit) override;
  void put_fingerprints(std::span<const std::pair<std::string, std::string>> fingerprints) override;
  void put_clusters(std::span<const std::pair<std::string, std::string>> clusters) override;
  ForgetResult forget(Forgettable kind, std::string_view value) override;
  bool is_forgotten(Forgettable kind, std::string_view value) override;
  Tombstones tombstones() override;
  std::string forgetting() override;
  void finish_forgetting(std::string_view pending) override;
  void compact() override;
  void each_row(const std::function<void(const Row&)>& visit) override;
  Counts restore(std::span<const Row> rows) override;

 private:
  // Holds the connection for one call. A callback that calls back gets an Exception instead of a deadlock.
  class Turn {
   public:
    explicit Turn(SqlCatalog& catalog);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

   private:
    SqlCatalog& catalog_;
  };

  // Within a transaction. added: the time to store; unset: each video keeps its own.
  std::vector<AddOutcome> add_many(std::span<const Video> videos, std::optional<std::int64_t> added);
  std::unordered_map<std::string, std::int64_t> insert_videos(std::span<const Video* const> videos,
                                                              std::optional<std::int64_t> added);
  std::vector<Link> missing_links(const Video& video);
  void insert_links(std::span<const Link> links);
  std::unordered_map<std::string, std::int64_t> hashtag_rows(std::span<const Link> links);
  AddOutcome record_change_set(const ChangeSet& record, std::int64_t now);
  void put_fingerprint(std::string_view video, std::string_view fingerprint);

  std::int64_t restore_posts(std::span<const Post> posts);
  bool restore_note(const Note& note);

  // Within a transaction.
  // The body of a note; empty if there is none.
  std::string text_of(std::string_view note);
  std::string salt();
  bool has_tombstone(Forgettable kind, std::string_view value);
  bool must_stay_out(const Video* video, const Post* post);
  void bury(Forgettable kind, std::string_view value);
  static std::vector<std::string> column(Query rows);  // the first column
  void take_out(const std::string& video, ForgetResult& gone);
  void take_out_posts(const std::vector<std::string>& posts, ForgetResult& gone);

  std::mutex mutex_;
  std::atomic<std::thread::id> inside_;
  std::unique_ptr<Database> owned_;
  Database& database_;
};

}  // namespace reeltag::catalog
