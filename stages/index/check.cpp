#include "check.hpp"

#include <unicode/utf8.h>

#include <cmath>

namespace reeltag::index {
namespace {

constexpr std::size_t kMaxBytes = 16U << 20;  // a caption has a few kilobytes; beyond this it is a mistake

void check_text(std::string_view text, const std::string& what) {
  if (text.size() > kMaxBytes) {
    throw Exception(Code::invalid_argument, what + " is longer than " + std::to_string(kMaxBytes) + " bytes");
  }
  const auto length = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U8_NEXT(text.data(), i, length, c);
    if (c <= 0) throw Exception(Code::invalid_argument, what + " is not UTF-8 without NUL");
  }
}

void check_filled(std::string_view text, const std::string& what) {
  if (text.empty()) throw Exception(Code::invalid_argument, what + " is empty");
  check_text(text, what);
}

std::string prefix_of(const std::string& video) {
  check_filled(video, "the name of a video");
  return "video " + video + ": ";
}

void check_segment(const Segment& s, const std::string& what) {
  const bool good = std::isfinite(s.start) && std::isfinite(s.end) && 0 <= s.start && s.start <= s.end;
  if (!good) throw Exception(Code::invalid_argument, what + " has a segment that is no interval of seconds");
}

}  // namespace

void check(const Texts& texts) {
  const auto prefix = prefix_of(texts.video);
  check_text(texts.caption, prefix + "the caption");
  for (const auto& hashtag : texts.typed) check_filled(hashtag, prefix + "a typed hashtag");
}

void check(const Prediction& prediction) {
  const auto prefix = prefix_of(prediction.video);
  check_filled(prediction.model.name, prefix + "the model");
  check_text(prediction.model.version, prefix + "the model's version");
  for (const auto& tag : prediction.tags) {
    check_filled(tag.hashtag, prefix + "a hashtag");
    const auto what = prefix + "#" + tag.hashtag;
    if (!(tag.score >= 0.0 && tag.score <= 1.0)) {
      throw Exception(Code::invalid_argument, what + " has a score outside 0 to 1");
    }
    for (const auto& segment : tag.segments) check_segment(segment, what);
  }
}

}  // namespace reeltag::index
