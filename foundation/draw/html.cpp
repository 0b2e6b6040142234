#include "reeltag/draw/html.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "style.hpp"

namespace reeltag::draw {
namespace {

// Length in bytes of the UTF-8 character at the front; 0 if it is invalid.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Rejects overlong forms, surrogates and values above U+10FFFF.
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t n = character(text);
    if (n != 1) {
      out += n == 0 ? kReplacement : text.substr(0, n);
      text.remove_prefix(n == 0 ? 1 : n);
      continue;
    }
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return out;
}

std::string shorten(std::string_view text, std::size_t characters) {
  std::size_t at = 0, cut = 0, n = 0;
  while (at < text.size()) {
    if (++n == characters) cut = at;  // position of the ellipsis
    if (n > characters) return std::string(text.substr(0, cut)) + "\xE2\x80\xA6";
    at += std::max<std::size_t>(1, character(text.substr(at)));
  }
  return std::string(text);
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "n/a";
  std::array<char, 400> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits);
  std::string out(text.data(), end.ptr);
  return out.find_first_not_of("-0.") == std::string::npos && out.front() == '-' ? out.substr(1) : out;
}

std::string percent(double share, int digits) {
  return std::isfinite(share) ? fixed(100.0 * share, digits) + "&nbsp;%" : "n/a";
}

std::string count(std::int64_t n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) out += "&#8239;";  // narrow no-break space
    out += digits[i];
  }
  return n < 0 ? "-" + out : out;
}

std::string page(std::string_view title, const std::string& body) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>" +
         escape(title) + " - reeltag</title><style>" + std::string(kStyle) + "</style></head><body><main>\n" + body +
         "</main></body></html>\n";
}

}  // namespace reeltag::draw
