// The tables of what was collected: videos, posts, notes, fingerprints, tombstones. All are thread-safe, each call is
// one transaction, and they share ownership of their connection. Catalog (catalog.hpp) has them all, and its head
// states the rules of failure.
//
// Functions that call `visit` for each row read one snapshot; an exception from visit ends them. The callback must not
// use the connection (Exception internal), and other threads wait meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/catalog/connection.hpp"
#include "reeltag/catalog/rows.hpp"

namespace reeltag::catalog {

class Videos {
 public:
  explicit Videos(std::shared_ptr<Connection> connection);

  // Adds the video; if its id exists, keeps the row and appends the hashtags that it lacks. Forgotten videos are not
  // stored.
  // Throws invalid_argument, naming the field, for a video that breaks a rule of rows.hpp or has an empty hashtag.
  AddOutcome add(const Video& video);
  // Adds many in one transaction, much faster; all or nothing. Returns one outcome per video, in order.
  std::vector<AddOutcome> add_all(std::span<const Video> videos);
  std::optional<Video> get(std::string_view id);
  // Ordered by id.
  void each(const Filter& filter, const std::function<void(const Video&)>& visit);
  std::int64_t count(const Filter& filter);
  // Counts the videos of each hashtag (normalized), most frequent first, then by name.
  std::vector<std::pair<std::string, std::int64_t>> hashtag_counts();

 private:
  std::shared_ptr<Connection> connection_;
};

// Written by Catalog::record().
class Posts {
 public:
  explicit Posts(std::shared_ptr<Connection> connection);

  std::optional<Post> get(std::string_view site, std::string_view id);
  // Ordered by site and id.
  void each(const std::function<void(const Post&)>& visit);
  // Counts a site's posts by outcome, ordered by outcome.
  std::vector<std::pair<std::string, std::int64_t>> counts(std::string_view site);

 private:
  std::shared_ptr<Connection> connection_;
};

class Notes {
 public:
  explicit Notes(std::shared_ptr<Connection> connection);

  std::optional<std::string> get(std::string_view name);
  // Replaces the note with the same name.
  void put(const Note& note);
  // The notes whose names start with the prefix, ordered by name.
  std::vector<Note> list(std::string_view prefix);

 private:
  std::shared_ptr<Connection> connection_;
};

// What each video looks like, and which look alike.
class Fingerprints {
 public:
  explicit Fingerprints(std::shared_ptr<Connection> connection);

  // Visits every video in the order of adding.
  void each(const std::function<void(const SplitGrouping&)>& visit);
  // Stores pairs of a video's id and its fingerprint, or its cluster. Unknown ids are skipped, and videos without a
  // fingerprint get no cluster.
  void put(std::span<const std::pair<std::string, std::string>> fingerprints);
  void put_clusters(std::span<const std::pair<std::string, std::string>> clusters);

 private:
  std::shared_ptr<Connection> connection_;
};

class Tombstones {
 public:
  explicit Tombstones(std::shared_ptr<Connection> connection);

  // Writes tombstones and deletes rows, in one transaction: a video with all its posts; a post with its video and that
  // video's posts; everything by the author. From then on the same bytes, post or author are not stored (`forgotten`).
  // The tombstone is written even if there is no row. A tombstone is a salted SHA-256. Throws invalid_argument for a
  // value that is invalid for its kind.
  ForgetResult forget(Forgettable kind, std::string_view value);
  bool holds(Forgettable kind, std::string_view value);
  TombstoneSet all();

  // Returns a text that changes with each forget(): data derived from the deleted rows (bytes, features, reports) must
  // still be removed. After that call finish() with it. Empty: nothing is pending.
  std::string pending();
  void finish(std::string_view pending);

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace reeltag::catalog
