#include "reeltag/http/header_value.hpp"

#include <algorithm>

#include "target.hpp"

namespace reeltag::http {
namespace {

using server::lower_case;
using server::trimmed;

// Removes a quoted text from the front of `text`, which starts with the quote.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return out;
    }
    // Only these two are escaped; other backslashes, as in a Windows path, are kept.
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    out += text[i];
  }
  return std::nullopt;
}

}  // namespace

const std::string* HeaderValue::find(std::string_view name) const {
  for (const auto& [key, text] : parameters)
    if (key == name) return &text;
  return nullptr;
}

std::optional<HeaderValue> parse_header_value(std::string_view text) {
  HeaderValue out{.value = lower_case(trimmed(text.substr(0, text.find(';'))))};
  text.remove_prefix(std::min(text.find(';'), text.size()));
  while (!text.empty()) {
    text = trimmed(text.substr(1));  // the semicolon
    const auto equals = text.find_first_of("=;");
    if (equals == std::string_view::npos || text[equals] == ';') {
      text.remove_prefix(std::min(equals, text.size()));
      continue;
    }
    std::string name = lower_case(trimmed(text.substr(0, equals)));
    text = trimmed(text.substr(equals + 1));
    std::optional<std::string> value;
    if (text.starts_with('"')) {
      value = take_quoted(text);
      if (!value || !trimmed(text.substr(0, text.find(';'))).empty()) return std::nullopt;
    } else {
      value = std::string(trimmed(text.substr(0, text.find(';'))));
    }
    if (out.find(name) != nullptr) return std::nullopt;
    out.parameters.emplace_back(std::move(name), std::move(*value));
    text.remove_prefix(std::min(text.find(';'), text.size()));
  }
  return out;
}

std::string file_name_of(std::string_view disposition) {
  const auto value = parse_header_value(disposition);
  if (!value) return {};
  std::string name;
  if (const auto* plain = value->find("filename")) name = *plain;
  // RFC 8187: charset'language'escaped; takes precedence, because it can hold every name.
  if (const auto* extended = value->find("filename*")) {
    const auto charset = extended->find('\'');
    const auto language = charset == std::string::npos ? charset : extended->find('\'', charset + 1);
    if (language != std::string::npos && lower_case(extended->substr(0, charset)) == "utf-8")
      name = server::decode(extended->substr(language + 1)).value_or(name);
  }
  return name.substr(name.find_last_of("/\\") + 1);
}

}  // namespace reeltag::http
