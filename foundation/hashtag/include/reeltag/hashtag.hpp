// Normalizes hashtags, and finds them in captions: the single definition for the catalog, the collectors, datasets, the
// index and the page. vectors.json next to the sources has pairs that the tests here and the page's tests both read.
// Functions; any thread. Failure: Exception(internal) if ICU fails, which is a bug.
//
//   hashtag::normalize(" #Street Food ")              // "street food"
//   hashtag::find_in_caption("so cute #Cats #dogs")   // {"cats", "dogs"}
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reeltag::hashtag {

// The form in which hashtags are compared: NFKC and case folding, repeated until nothing changes; the Turkish dotted
// and dotless i are "i". Keeps emoji and every script. Invalid UTF-8 becomes U+FFFD. Source: Unicode Standard Annex 15
// (NFKC) and chapter 3.13 (default case folding).
std::string fold(std::string_view typed);

// fold() of user input, without leading '#' and surrounding white space; collapses inner white space to one space.
// Empty if it is not a hashtag: only '#' and white space, invalid UTF-8, more than 1,024 bytes.
std::string normalize(std::string_view typed);

// normalize() of each, in order, without empty and repeated results.
std::vector<std::string> normalize_all(std::span<const std::string> typed);

// The hashtags of a caption, normalized: after '#' or its full-width and small forms, letters, marks, digits, '_',
// emoji and what joins them, with more than '_'. '#' begins none within a word or an address (c#minor, page#about), in
// &#39;, or as a keycap. Source: Unicode Standard Annex 31, R8 (hashtag identifiers).
std::vector<std::string> find_in_caption(std::string_view caption);

}  // namespace reeltag::hashtag
