#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "reeltag/base/error.hpp"
#include "reeltag/hashtag.hpp"

namespace reeltag::hashtag {
namespace {

// Folding can break the normal form and vice versa; two passes suffice for all of Unicode 15, the others are reserve.
constexpr int kPasses = 4;

const icu::UnicodeString kI(u"i"), kDottedI(u"i\u0307"), kDotlessI(u"\u0131");

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string fold(std::string_view typed) {
  std::string out(typed);
  if (is_plain_ascii(typed)) {
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
  }
  UErrorCode error = U_ZERO_ERROR;
  const auto* nfkc = icu::Normalizer2::getNFKCInstance(error);
  auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(typed.data(), static_cast<int32_t>(typed.size())));
  for (int pass = 0; pass < kPasses && U_SUCCESS(error); ++pass) {
    icu::UnicodeString folded(text);
    folded = nfkc->normalize(nfkc->normalize(folded, error).foldCase(), error);
    // Turkish writes Istanbul with a dotted capital and isparta with a dotless small letter: people type both as "i".
    folded.findAndReplace(kDottedI, kI).findAndReplace(kDotlessI, kI);
    folded = nfkc->normalize(folded, error);
    if (folded == text) break;
    text = folded;
  }
  if (U_FAILURE(error)) {
    throw Exception(Code::internal, "hashtag '" + out + "' cannot be normalised: " + u_errorName(error));
  }
  out.clear();
  return text.toUTF8String(out);
}

}  // namespace reeltag::hashtag
