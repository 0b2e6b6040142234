#include "terminal.hpp"

#include <algorithm>

namespace reeltag::app {

std::string one_line(const std::string& text, std::size_t columns) {
  std::string out;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool begins = (c & 0xC0) != 0x80;
    if (begins && shown++ == columns) return out + "...";
    const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    out += c < 0x20 || c == 0x7F || c1 ? ' ' : text[i];
  }
  return out;
}

std::string lines(const std::string& text) {
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += one_line(text.substr(begin, end - begin), std::string::npos) + "\n";
    begin = end + 1;
  }
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace reeltag::app
