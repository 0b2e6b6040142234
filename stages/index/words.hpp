// Splits texts and hashtags into words that compare equal when people mean the same. Private. Pure functions, any
// thread.
//
// A text is normalised like hashtags (NFKC and case fold), reduced to its loose spelling (loose_spelling.hpp), then
// split. Words are runs of letters, digits and their marks; each letter of scripts without blanks between words (Han,
// kana, Hangul, Thai, ...); and each emoji or symbol, a flag being one. Apostrophes, joiners, variation selectors and
// skin tones are dropped. Everything else separates words, so a word never contains white space, quotes or ASCII
// punctuation.
//
//   words_of("Don't #stop_it \U0001F3B8")  // dont, stop, it, the guitar
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeltag::index {

struct Word {
  enum class Kind { letters, unspaced, symbol };

  std::string text;
  Kind kind = Kind::letters;
  bool after_gap = false;   // false: directly follows the previous word
  bool after_hash = false;  // directly follows a '#'
};

// loose: a word with and without its accents is the same. exact: they are two.
enum class Spelling { loose, exact };

// Invalid UTF-8 separates words.
std::vector<Word> words_of(std::string_view text, Spelling spelling = Spelling::loose);

// Joins the words with blanks: the input of full-text search.
std::string spaced(const std::vector<Word>& words);

// A unit of search: a word, or a run of adjacent unspaced letters.
struct QueryPart {
  std::vector<std::string> words;
  Word::Kind kind = Word::Kind::letters;
  bool after_hash = false;

  [[nodiscard]] std::string joined() const;
};
std::vector<QueryPart> parts_of(std::string_view text, Spelling spelling = Spelling::loose);

}  // namespace reeltag::index
