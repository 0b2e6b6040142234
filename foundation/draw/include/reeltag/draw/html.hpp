// Small pieces of HTML: escaping, numbers, the page around a report. Functions, any thread; nothing here fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reeltag::draw {

// For text and for attributes in double quotes. Control characters become spaces, invalid UTF-8 U+FFFD.
std::string escape(std::string_view text);

// Whole characters only, at most so many, with an ellipsis when cut. Not escaped.
std::string shorten(std::string_view text, std::size_t characters);

// "3.14", whatever the locale is; "n/a" when it is no number.
std::string fixed(double value, int digits);
// 0.543 -> "54.3", as HTML with its sign: "54.3&nbsp;%". digits behind the point.
std::string percent(double share, int digits = 1);
// 12345 -> "12&#8239;345"
std::string count(std::int64_t n);

// A whole document around the body's HTML, with the style of all reports; it needs nothing from outside. title: text.
std::string page(std::string_view title, const std::string& body);

}  // namespace reeltag::draw
