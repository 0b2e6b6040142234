// Stores the progress of a source's collections as notes in the catalog, in the same transaction as the rows they
// describe. One thread. Refers to the notes. An unreadable note counts as missing: the collection starts over, and
// stored videos are not fetched again. Throws as the catalog does.
//
// A *round* is one collection of some hashtags up to a limit. It is open until every hashtag has ended; a run for the
// same hashtags and limit resumes it, also after a kill.
//
//   Journal journal(catalog.notes, "research", scope);
//   journal.open_round({"cats"}, 100);
//   HashtagCursor at = journal.cursor_of("cats");
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "reeltag/catalog.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::collect {

// Progress of one hashtag in the current round.
struct HashtagCursor {
  std::int64_t round = 0;
  bool done = false;
  std::string start, cursor;  // cursor at the start of the round; cursor of the current page
  std::int64_t at = 0;        // items of that page already handled
  std::int64_t tried = 0;     // new items, which count towards the limit
  HashtagReport report = {};
};

class Journal {
 public:
  Journal(catalog::Notes& notes, std::string source, std::string scope);

  // Resumes the open round of the same hashtags and limit, or opens one.
  void open_round(std::span<const std::string> hashtags, std::int64_t limit);
  void close_round();
  [[nodiscard]] std::int64_t round() const { return round_; }

  // At the start of its round if the hashtag was not started.
  HashtagCursor cursor_of(const std::string& hashtag);
  [[nodiscard]] catalog::Note note(const std::string& hashtag, const HashtagCursor& cursor_of) const;
  void save(const std::string& hashtag, const HashtagCursor& cursor_of);

  // Counted requests of a UTC day, "2026-11-26".
  std::int64_t requests(const std::string& day);
  void set_requests(const std::string& day, std::int64_t count);

  // End of the cool-down after a challenge page, in seconds since 1970; no requests until then. 0: no cool-down.
  std::int64_t cooling_until();
  // Each further cool-down is twice as long, up to a day, until calm() is called.
  void cool_down(std::int64_t now, double seconds);
  void calm();

 private:
  [[nodiscard]] std::string name(const std::string& what) const;
  [[nodiscard]] std::string hashtag_name(const std::string& hashtag) const;
  void write(const std::string& what, const std::string& body);
  void write_round(bool open);

  catalog::Notes& notes_;
  std::string source_, scope_;
  std::string identity_ = {};  // of the round: its hashtags and limit
  std::int64_t round_ = 0;
};

// What a hashtag's note says.
struct CollectedNote {
  std::string source, hashtag, ended;
};
// Of all sources, ordered by the notes' names.
std::vector<CollectedNote> collected_notes(catalog::Notes& notes);

}  // namespace reeltag::collect
