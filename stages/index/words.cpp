#include "words.hpp"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "loose_spelling.hpp"
#include "reeltag/hashtag.hpp"

namespace reeltag::index {
namespace {

enum class Sort { gap, dropped, hash, mark, letter, unspaced, symbol };

// Hangul uses blanks but attaches particles to nouns; with one word per letter the noun is still found.
constexpr UScriptCode kUnspaced[] = {USCRIPT_HAN,  USCRIPT_HIRAGANA, USCRIPT_KATAKANA, USCRIPT_BOPOMOFO, USCRIPT_HANGUL,
                                     USCRIPT_THAI, USCRIPT_LAO,      USCRIPT_KHMER,    USCRIPT_MYANMAR};

bool is_unspaced(UChar32 c) {
  if (c < 0x0E00) return false;  // Thai is the first
  return std::any_of(std::begin(kUnspaced), std::end(kUnspaced), [&](auto s) { return uscript_hasScript(c, s) != 0; });
}

bool is_regional(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_REGIONAL_INDICATOR) != 0; }

Sort sort_of(UChar32 c) {
  constexpr UChar32 kReplacement = 0xFFFD;  // replaces invalid UTF-8
  constexpr UChar32 kApostrophe = 0x27, kTypographicApostrophe = 0x2019;
  if (c == '#') return Sort::hash;
  if (c == kReplacement) return Sort::gap;
  if (c == kApostrophe || c == kTypographicApostrophe) return Sort::dropped;
  const auto category = U_GET_GC_MASK(c);
  if ((category & U_GC_CF_MASK) != 0 || u_hasBinaryProperty(c, UCHAR_VARIATION_SELECTOR) != 0 ||
      u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER) != 0) {
    return Sort::dropped;
  }
  if ((category & U_GC_M_MASK) != 0) return Sort::mark;
  if ((category & (U_GC_L_MASK | U_GC_N_MASK)) != 0) return is_unspaced(c) ? Sort::unspaced : Sort::letter;
  if ((category & U_GC_SO_MASK) != 0 || u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) != 0) return Sort::symbol;
  return Sort::gap;
}

void append(std::string& text, UChar32 c) {
  char bytes[U8_MAX_LENGTH];
  int32_t size = 0;
  U8_APPEND_UNSAFE(bytes, size, c);
  text.append(bytes, static_cast<std::size_t>(size));
}

class Cutter {
 public:
  void take(UChar32 c) {
    const auto sort = sort_of(c);
    if (sort == Sort::dropped) return;
    const bool first_regional = sort == Sort::symbol && is_regional(c) && !half_flag_;
    switch (sort) {
      case Sort::gap:
      case Sort::hash:
        gap_ = true;
        hash_ = sort == Sort::hash;
        break;
      case Sort::mark:
        // Combines with the letter before it; ignored if there is none.
        if (!gap_ && words_.back().kind != Word::Kind::symbol) append(words_.back().text, c);
        break;
      case Sort::letter:
        add(c, Word::Kind::letters, !gap_ && words_.back().kind == Word::Kind::letters);
        break;
      case Sort::unspaced:
        add(c, Word::Kind::unspaced, false);
        break;
      default:
        // Two regional indicators are a flag.
        add(c, Word::Kind::symbol, half_flag_ && !gap_ && is_regional(c));
    }
    half_flag_ = first_regional;
  }

  std::vector<Word> finish() { return std::move(words_); }

 private:
  void add(UChar32 c, Word::Kind kind, bool goes_on) {
    if (!goes_on) words_.push_back({.text = {}, .kind = kind, .after_gap = gap_, .after_hash = hash_});
    append(words_.back().text, c);
    gap_ = hash_ = false;
  }

  std::vector<Word> words_;
  bool gap_ = true;  // true at first, so words_ is not empty where it is false
  bool hash_ = false;
  bool half_flag_ = false;
};

}  // namespace

std::vector<Word> words_of(std::string_view text, Spelling spelling) {
  const auto folded = spelling == Spelling::exact ? hashtag::fold(text) : loose_spelling(hashtag::fold(text));
  const auto length = static_cast<int32_t>(folded.size());
  Cutter cutter;
  for (int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(folded.data(), i, length, c);
    cutter.take(c);
  }
  return cutter.finish();
}

std::string spaced(const std::vector<Word>& words) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : " ").append(word.text);
  return out;
}

std::string QueryPart::joined() const {
  std::string out;
  for (const auto& word : words) out += word;
  return out;
}

std::vector<QueryPart> parts_of(std::string_view text, Spelling spelling) {
  std::vector<QueryPart> parts;
  for (auto& word : words_of(text, spelling)) {
    const bool goes_on = !parts.empty() && !word.after_gap && word.kind == Word::Kind::unspaced &&
                         parts.back().kind == Word::Kind::unspaced;
    if (!goes_on) parts.push_back({.words = {}, .kind = word.kind, .after_hash = word.after_hash});
    parts.back().words.push_back(std::move(word.text));
  }
  return parts;
}

}  // namespace reeltag::index
