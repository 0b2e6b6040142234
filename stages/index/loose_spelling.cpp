#include "loose_spelling.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <array>
#include <utility>

#include "reeltag/base/error.hpp"

namespace reeltag::index {
namespace {

using Pair = std::pair<UChar32, const char16_t*>;

// Letters that do not decompose into a letter and a mark, with the one that is typed for them. Sorted.
constexpr auto kLetters = std::to_array<Pair>({
    {0x00E6, u"ae"},      // ae ligature
    {0x00F0, u"d"},       // eth
    {0x00F8, u"o"},       // o with stroke
    {0x00FE, u"th"},      // thorn
    {0x0111, u"d"},       // d with stroke
    {0x0127, u"h"},       // h with stroke
    {0x0142, u"l"},       // l with stroke
    {0x0153, u"oe"},      // oe ligature
    {0x0167, u"t"},       // t with stroke
    {0x0629, u"\u0647"},  // teh marbuta: heh
    {0x0640, u""},        // tatweel stretches a word
    {0x0649, u"\u064A"},  // alef maksura: yeh
    {0x0671, u"\u0627"},  // alef wasla: alef
    {0x06A9, u"\u0643"},  // keheh of Persian and Urdu: kaf
    {0x06BE, u"\u0647"},  // heh doachashmee: heh
    {0x06C1, u"\u0647"},  // heh goal: heh
    {0x06CC, u"\u064A"},  // Farsi yeh: yeh
    {0x06D5, u"\u0647"},  // ae: heh
});

bool loses_marks(UChar32 letter) {
  UErrorCode error = U_ZERO_ERROR;
  const auto script = uscript_getScript(letter, &error);
  return script == USCRIPT_LATIN || script == USCRIPT_GREEK || script == USCRIPT_ARABIC || script == USCRIPT_HEBREW;
}

void append_letter(UChar32 c, icu::UnicodeString& out) {
  const auto found = std::lower_bound(kLetters.begin(), kLetters.end(), c,
                                      [](const Pair& pair, UChar32 letter) { return pair.first < letter; });
  if (found != kLetters.end() && found->first == c) {
    out.append(icu::UnicodeString(found->second));
  } else if (const auto digit = u_charDigitValue(c); digit >= 0 && u_charType(c) == U_DECIMAL_DIGIT_NUMBER) {
    out.append(static_cast<UChar32>('0' + digit));
  } else {
    out.append(c);
  }
}

}  // namespace

std::string loose_spelling(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return std::string(text);
  UErrorCode error = U_ZERO_ERROR;
  const auto* nfd = icu::Normalizer2::getNFDInstance(error);
  const auto* nfc = icu::Normalizer2::getNFCInstance(error);
  const auto whole = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  const auto parts = nfd->normalize(whole, error);
  icu::UnicodeString loose;
  bool drops = false;
  for (std::int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
    const UChar32 c = parts.char32At(i);
    if (u_charType(c) == U_NON_SPACING_MARK) {
      if (!drops) loose.append(c);
      continue;
    }
    drops = loses_marks(c);
    append_letter(c, loose);
  }
  std::string out;
  nfc->normalize(loose, error).toUTF8String(out);
  if (U_FAILURE(error) != 0)
    throw Exception(Code::internal, std::string("cannot normalize a text: ") + u_errorName(error));
  return out;
}

}  // namespace reeltag::index
