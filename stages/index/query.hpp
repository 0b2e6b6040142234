// What a query asks for, whatever database answers: phrases to look for in texts, names of hashtags, and how what was
// found becomes a score. Pure functions, any thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/index.hpp"
#include "words.hpp"

namespace reeltag::index {

// Words that follow each other, and which of the query's parts they stand for, a bit each.
struct Phrase {
  std::vector<std::string> words;
  std::uint64_t covers = 0;
};

struct Query {
  // "playing guitar" is looked for as playing, guitar and playingguitar; #playingguitar also as "playing guitar".
  std::vector<Phrase> phrases;
  // The parts, and runs of them without blanks between: "playing", "guitar", "playingguitar".
  std::vector<std::string> names;
};
Query parse_query(std::string_view text);

// By which names a query reaches a hashtag, and how much of it each says: all of it written together says 1, one of n
// parts 1/n. Each name once. Empty for a hashtag without words.
std::vector<std::pair<std::string, double>> names_of(std::string_view hashtag);

// What was found of one video; a score of 0 is nothing.
struct QueryMatch {
  std::uint64_t covered = 0;  // parts of the query that its texts hold
  double named = 0.0;         // scores of its predicted hashtags, each times the share that was named

  [[nodiscard]] double score() const { return std::popcount(covered) + named; }
};

// What was found, by the database's row numbers. In pages: rows come in ascending runs that lie close together, and a
// hash table would miss the processor's cache at every one of a hundred thousand.
class Board {
 public:
  QueryMatch& operator[](std::int64_t row) {
    if (const auto page = row >> kPageBits; page_ == nullptr || page != number_) {
      page_ = &pages_[page];
      number_ = page;
    }
    return (*page_)[static_cast<std::size_t>(row & (kPageRows - 1))];
  }
  // The best rows with a score above 0, highest first, equal ones ascending.
  [[nodiscard]] std::vector<std::pair<std::int64_t, double>> best(std::size_t limit) const;

 private:
  static constexpr int kPageBits = 10;
  static constexpr std::int64_t kPageRows = 1 << kPageBits;
  using Page = std::array<QueryMatch, kPageRows>;

  std::map<std::int64_t, Page> pages_;
  Page* page_ = nullptr;  // the one that was asked for last
  std::int64_t number_ = 0;
};

// Whether one of the phrases stands in the text.
bool holds(const std::vector<Word>& text, std::span<const Phrase> phrases);

// The words of all typed hashtags, in order.
std::vector<Word> words_of_typed(std::span<const std::string> typed);

// Ascending, overlapping and touching ones made one.
std::vector<Segment> united(std::vector<Segment> segments);

}  // namespace reeltag::index
