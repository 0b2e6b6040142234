// Texts and hashtags as words that compare equal when people mean the same. Pure functions, any thread.
//
// A text is brought to the spelling of hashtags (NFKC and case fold), then cut: runs of letters, digits and their marks
// are words; in scripts that put no blanks between words (Han, kana, Hangul, Thai, ...) every letter is; so is every
// emoji or symbol, a flag as a whole. Apostrophes, joiners, variation selectors and skin tones are dropped. Everything
// else separates and is gone, so a word never holds white space, quotes or ASCII punctuation.
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
  bool after_gap = false;   // false: it touches the word before it
  bool after_hash = false;  // it stands right behind a '#'
};

// Invalid UTF-8 separates words.
std::vector<Word> words_of(std::string_view text);

// The words with a blank between them: what full text search is given.
std::string spaced(const std::vector<Word>& words);

// What is searched for as one: a word, or a run of unspaced letters that touch each other.
struct QueryPart {
  std::vector<std::string> words;
  Word::Kind kind = Word::Kind::letters;
  bool after_hash = false;

  [[nodiscard]] std::string joined() const;
};
std::vector<QueryPart> parts_of(std::string_view text);

}  // namespace reeltag::index
