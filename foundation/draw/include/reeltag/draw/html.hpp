// HTML helpers for reports: escaping, numbers, the page template. Functions, any thread; nothing here fails.
//
//   write_file(path, page("Report", "<p>" + escape(name) + ": " + percent(share) + "</p>"));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reeltag::draw {

// Escapes for text and for attributes in double quotes. Control characters become spaces, invalid UTF-8 U+FFFD.
std::string escape(std::string_view text);

// Cuts to at most that many characters, at a character boundary, and appends an ellipsis if cut. Does not escape.
std::string shorten(std::string_view text, std::size_t characters);

// "3.14" in any locale; "n/a" if it is not a finite number.
std::string fixed(double value, int digits);
// 0.543 -> "54.3", as HTML with the sign: "54.3&nbsp;%". digits: decimals.
std::string percent(double share, int digits = 1);
// 12345 -> "12&#8239;345"
std::string count(std::int64_t n);

// Wraps the body's HTML in a complete document with the style of all reports and no external resources. title: plain
// text.
std::string page(std::string_view title, const std::string& body);

}  // namespace reeltag::draw
