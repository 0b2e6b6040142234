// Parses a query into phrases to find in texts and names of hashtags, and computes scores from the matches, whatever
// the database. Private. Pure functions, any thread; Board: one thread.
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

// Consecutive words, and a bit mask of the query parts that they cover.
struct Phrase {
  std::vector<std::string> words;
  std::uint64_t covers = 0;
};

struct Query {
  // "playing guitar" is searched as playing, guitar and playingguitar; #playingguitar also as "playing guitar".
  std::vector<Phrase> phrases;
  // The words as they were typed, with their accents: hits that have them come first.
  std::vector<std::string> spelled;
  // The parts and runs of parts, joined without blanks: "playing", "guitar", "playingguitar".
  std::vector<std::string> names;
};
Query parse_query(std::string_view text);

// The names by which a query can match a hashtag, each with the share that it covers: all parts joined have share 1,
// one of n parts has 1/n. Names are distinct. Empty for a hashtag without words.
std::vector<std::pair<std::string, double>> names_of(std::string_view hashtag);

// A video's matches; a score of 0 means no match.
struct QueryMatch {
  std::uint64_t covered = 0;  // query parts found in its texts
  double named = 0.0;         // sum over its predicted hashtags of score * share named

  // weights: of the query's parts, see weights_of().
  [[nodiscard]] double score(std::span<const double> weights) const {
    double sum = named;
    for (auto rest = covered; rest != 0; rest &= rest - 1)
      sum += weights[static_cast<std::size_t>(std::countr_zero(rest))];
    return sum;
  }
};

// In how many videos each part of the query was found.
using PartCounts = std::array<std::int64_t, 64>;
// The weight of each part by its rarity among so many videos: the inverse document frequency of BM25 (Robertson and
// Zaragoza 2009, equation 3.3, plus one inside the logarithm as in Lucene), divided by that of the rarest part found.
// "a" in every caption then counts next to nothing beside a word of one.
std::array<double, 64> weights_of(const PartCounts& found_in, std::int64_t videos);

// Matches by the database's row number, stored in pages: rows come in ascending, dense runs, and a hash table would
// cause a cache miss for each of a hundred thousand rows.
class Board {
 public:
  QueryMatch& operator[](std::int64_t row) {
    if (const auto page = row >> kPageBits; page_ == nullptr || page != number_) {
      page_ = &pages_[page];
      number_ = page;
    }
    return (*page_)[static_cast<std::size_t>(row & (kPageRows - 1))];
  }
  // Returns the best rows with a score above 0, highest first, ties ascending.
  [[nodiscard]] std::vector<std::pair<std::int64_t, double>> best(std::size_t limit,
                                                                  std::span<const double> weights) const;

 private:
  static constexpr int kPageBits = 10;
  static constexpr std::int64_t kPageRows = 1 << kPageBits;
  using Page = std::array<QueryMatch, kPageRows>;

  std::map<std::int64_t, Page> pages_;
  Page* page_ = nullptr;  // the last one accessed
  std::int64_t number_ = 0;
};

// True if the text contains one of the phrases.
bool holds(const std::vector<Word>& text, std::span<const Phrase> phrases);

// Returns the words of all typed hashtags, in order.
std::vector<Word> words_of_typed(std::span<const std::string> typed, Spelling spelling = Spelling::loose);

// How many of the query's words the texts have in another spelling only: with or without accents.
int spelled_otherwise(const Query& query, std::string_view caption, std::span<const std::string> typed);

// Sorts the segments and merges overlapping and touching ones.
std::vector<Segment> united(std::vector<Segment> segments);

}  // namespace reeltag::index
