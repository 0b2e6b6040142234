// Where the collections of a source stand: notes of the catalog, written with what they speak of. One thread. A note
// that cannot be read is as good as none: the collection begins anew, and what is stored is not fetched again.
//
// A *round* is one collection of some hashtags up to a limit. It is open until each hashtag has ended; whoever asks for
// the same while it is open goes on with it, after a kill too.
//
//   Journal journal(catalog, "research", scope);
//   journal.open_round({"cats"}, 100);
//   HashtagCursor at = journal.standing("cats");
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "reeltag/catalog.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::collect {

// Of one hashtag in the current round.
struct HashtagCursor {
  std::int64_t round = 0;
  bool done = false;
  std::string start, cursor;  // where the round began; the page that is being gone through
  std::int64_t at = 0;        // items of that page that are dealt with
  std::int64_t tried = 0;     // items that were new, towards the limit
  HashtagReport report = {};
};

class Journal {
 public:
  Journal(catalog::Catalog& catalog, std::string source, std::string scope);

  // Goes on with the open round of the same hashtags and limit, or begins one.
  void open_round(std::span<const std::string> hashtags, std::int64_t limit);
  void close_round();
  [[nodiscard]] std::int64_t round() const { return round_; }

  // At the beginning of its round where the hashtag has not been begun.
  HashtagCursor cursor_of(const std::string& hashtag);
  [[nodiscard]] catalog::Note note(const std::string& hashtag, const HashtagCursor& cursor_of) const;
  void save(const std::string& hashtag, const HashtagCursor& cursor_of);

  // Requests of a UTC day, "2026-11-26".
  std::int64_t requests(const std::string& day);
  void set_requests(const std::string& day, std::int64_t count);

  // After a challenge page: until when (seconds since 1970) nothing is asked; 0: no cool-down.
  std::int64_t cooling_until();
  // The next one is twice as long, up to a day, until calm() is called.
  void cool_down(std::int64_t now, double seconds);
  void calm();

 private:
  [[nodiscard]] std::string name(const std::string& what) const;
  [[nodiscard]] std::string hashtag_name(const std::string& hashtag) const;
  void write(const std::string& what, const std::string& body);
  void write_round(bool open);

  catalog::Catalog& catalog_;
  std::string source_, scope_;
  std::string identity_ = {};  // of the round: its hashtags and limit
  std::int64_t round_ = 0;
};

}  // namespace reeltag::collect
