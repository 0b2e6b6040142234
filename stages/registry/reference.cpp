#include "reference.hpp"

#include <algorithm>
#include <charconv>

#include "reeltag/registry.hpp"

namespace reeltag::registry {
namespace {

constexpr std::size_t kMaxName = 64, kMaxDigits = 9, kMaxShown = 100;
constexpr std::string_view kScheme = "models:/";

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), digit); }

// Quotes an arbitrary text for a message, shortened.
std::string shown(const std::string& text) {
  return "'" + text.substr(0, kMaxShown) + (text.size() > kMaxShown ? "..." : "") + "'";
}

std::optional<Reference> parsed(const std::string& text) {
  if (const auto at = text.find('@'); at != std::string::npos) {
    Reference r{.name = text.substr(0, at), .alias = text.substr(at + 1)};
    return is_name(r.name) && is_alias(r.alias) ? std::optional(r) : std::nullopt;
  }
  if (const auto slash = text.find('/'); slash != std::string::npos) {
    Reference r{.name = text.substr(0, slash), .number = version_number(text.substr(slash + 1))};
    return is_name(r.name) && r.number > 0 ? std::optional(r) : std::nullopt;
  }
  if (const auto number = version_number(text); number > 0)
    return Reference{.name = kDefaultName, .number = number, .bare = true};
  return is_name(text) ? std::optional(Reference{.word = text}) : std::nullopt;
}

}  // namespace

bool is_name(const std::string& text) {
  const auto plain = [](char c) { return lower(c) || upper(c) || digit(c) || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= kMaxName && (lower(text.front()) || upper(text.front())) &&
         std::all_of(text.begin(), text.end(), plain);
}

bool is_alias(const std::string& text) {
  const auto plain = [](char c) { return lower(c) || digit(c) || c == '-'; };
  return !text.empty() && text.size() <= kMaxName && lower(text.front()) &&
         std::all_of(text.begin(), text.end(), plain) && text != "latest" &&
         !(text.front() == 'v' && all_digits(std::string_view(text).substr(1)));
}

std::int64_t version_number(const std::string& text) {
  if (!all_digits(text) || text.front() == '0' || text.size() > kMaxDigits) return 0;
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<Reference> parse_reference(const std::string& text) {
  if (!text.starts_with(kScheme)) return parsed(text);
  auto reference = parsed(text.substr(kScheme.size()));
  if (!reference)
    throw Exception(Code::invalid_argument,
                    shown(text) + " is no version: want models:/NAME@ALIAS, models:/NAME/NUMBER or models:/NAME");
  reference->strict = true;
  return reference;
}

void check_name(const std::string& name) {
  if (is_name(name)) return;
  throw Exception(Code::invalid_argument, shown(name) +
                                              " cannot be a model's name: want a letter, then letters, digits, - and "
                                              "_, at most 64 in all");
}

void check_alias(const std::string& alias) {
  if (is_alias(alias)) return;
  throw Exception(Code::invalid_argument,
                  shown(alias) +
                      " cannot be an alias: want a lower-case letter, then lower-case letters, digits and -, at most "
                      "64 in all, neither latest nor v and a number");
}

}  // namespace reeltag::registry
