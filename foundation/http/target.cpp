#include "target.hpp"

#include <algorithm>

namespace reeltag::http::server {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

// Calls back with each piece between separators, including empty ones; false as soon as the callback returns false.
template <class Call>
bool each_piece(std::string_view text, char separator, const Call& call) {
  for (;;) {
    const auto end = text.find(separator);
    if (!call(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

std::optional<Pairs> parse_query(std::string_view text) {
  Pairs out;
  const bool sound = each_piece(text, '&', [&](std::string_view piece) {
    if (piece.empty()) return true;
    const auto equals = piece.find('=');
    auto name = decode(piece.substr(0, equals), true);
    auto value = decode(equals == std::string_view::npos ? "" : piece.substr(equals + 1), true);
    if (!name || !value) return false;
    out.emplace_back(std::move(*name), std::move(*value));
    return true;
  });
  return sound ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

std::optional<std::string> decode(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::optional<Target> parse_target(std::string_view text) {
  if (text == "*") return Target{.path = "*"};
  if (const auto scheme = text.find("://"); !text.starts_with('/') && scheme != std::string_view::npos) {
    const auto path = text.find('/', scheme + 3);
    text = path == std::string_view::npos ? "/" : text.substr(path);
  }
  if (!text.starts_with('/') || text.find('#') != std::string_view::npos) return std::nullopt;
  const auto question = text.find('?');
  auto query = parse_query(question == std::string_view::npos ? "" : text.substr(question + 1));
  if (!query) return std::nullopt;
  Target out{.path = std::string(text.substr(0, question)), .query = std::move(*query)};
  if (out.path == "/") return out;
  const bool sound = each_piece(std::string_view(out.path).substr(1), '/', [&](std::string_view piece) {
    auto segment = decode(piece);
    if (!segment || has_control(*segment) || *segment == "." || *segment == "..") return false;
    out.segments.push_back(std::move(*segment));
    return true;
  });
  return sound ? std::optional(std::move(out)) : std::nullopt;
}

std::string cookie_value(std::string_view header, std::string_view name) {
  std::string out;
  each_piece(header, ';', [&](std::string_view piece) {
    piece = trimmed(piece);
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos || piece.substr(0, equals) != name) return true;
    auto value = piece.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    out = value;
    return false;
  });
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace reeltag::http::server
