// Canonical forms in which different spellings of one hashtag coincide. All work on code points, for any script. Texts
// are UTF-8 as hashtag::normalize() returns them; functions, any thread; none fails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeltag::dataset {

// Without separators (blank _ - . ' and the like), and with letters repeated three times or more reduced to one or two:
// black_cat, blackcat -> blackcat; coooool -> col, cool. Only forms that differ from the hashtag; possibly none.
std::vector<std::string> joined(std::string_view hashtag);

// Without emoji at its ends: pizza + (slice of pizza) -> pizza. Keeps flags, which name a place, and texts of emoji
// only.
std::string undecorated(std::string_view hashtag);

// Without the accents of Latin, Greek and Cyrillic letters: caf\u00e9 -> cafe.
std::string without_accents(std::string_view hashtag);

// Possible singulars in English, for words of ASCII letters: cars -> car, boxes -> box, cities -> city.
std::vector<std::string> singulars(std::string_view hashtag);

// The shortest form, for playful variants: letters and digits only, no accents, repeated letters once, no digits at the
// end, and in words of Latin letters none of other scripts. May be empty. Used for variants of generic hashtags.
std::string bare(std::string_view hashtag);

// The text and all texts with one character deleted. Two texts one edit apart share one of them.
std::vector<std::u32string> deletions(const std::u32string& text);
std::u32string code_points(std::string_view text);

// One letter inserted, deleted, replaced, or two neighbours swapped, as in typos and spelling variants. Not at the
// first letter, where words differ (dating, rating), nor in digits (2024 is not 2025); nor at the last, where words
// differ too (dance, dancer), unless it doubles the one before or at_the_end allows it.
bool one_edit(const std::u32string& a, const std::u32string& b, bool at_the_end = false);

}  // namespace reeltag::dataset
