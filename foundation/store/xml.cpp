#include "xml.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace reeltag::store {
namespace {

void append_utf8(std::uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x110000) {
    out += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
            static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
  }
}

// Appends "amp" or "#x1F408" resolved; false for an unknown entity.
bool append_entity(std::string_view entity, std::string& out) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNamed{
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [name, c] : kNamed) {
    if (entity == name) {
      out += c;
      return true;
    }
  }
  if (!entity.starts_with('#')) return false;
  entity.remove_prefix(1);
  const int base = entity.starts_with('x') ? 16 : 10;
  if (base == 16) entity.remove_prefix(1);
  std::uint32_t c = 0;
  const auto read = std::from_chars(entity.data(), entity.data() + entity.size(), c, base);
  if (read.ec != std::errc() || read.ptr != entity.data() + entity.size()) return false;
  append_utf8(c, out);
  return true;
}

}  // namespace

std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name) {
  const auto begin = "<" + std::string(name) + ">", end = "</" + std::string(name) + ">";
  std::vector<std::string_view> found;
  for (auto at = xml.find(begin); at != std::string_view::npos; at = xml.find(begin, at)) {
    at += begin.size();
    const auto to = xml.find(end, at);
    if (to == std::string_view::npos) break;
    found.push_back(xml.substr(at, to - at));
    at = to + end.size();
  }
  return found;
}

std::string xml_text(std::string_view xml, std::string_view name) {
  const auto found = xml_elements(xml, name);
  if (found.empty()) return {};
  constexpr std::size_t kMaxEntity = 10;
  const auto text = found.front();
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    if (end != std::string_view::npos && end - i <= kMaxEntity && append_entity(text.substr(i + 1, end - i - 1), out)) {
      i = end;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace reeltag::store
