#include "terminal.hpp"

#include <algorithm>

#include "reeltag/base/control_characters.hpp"

namespace reeltag::app {

std::string one_line(const std::string& text, std::size_t columns) {
  std::string out;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < text.size();) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && shown++ == columns) return out + "...";
    const auto control = control_at(text, i);
    out += control.bytes > 0 ? ' ' : text[i];
    i += std::max<std::size_t>(1, control.bytes);
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
