#include "conditional.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "reeltag/http/exchange.hpp"
#include "target.hpp"

namespace reeltag::http::server {
namespace {

// The whole text as an unsigned number; nullopt if it is anything else or does not fit.
std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool sound = problem == std::errc() && end == text.data() + text.size() && value >= 0 && text[0] != '-';
  return sound ? std::optional(value) : std::nullopt;
}

std::string_view without_weakness(std::string_view etag) { return etag.starts_with("W/") ? etag.substr(2) : etag; }

}  // namespace

ByteRange parse_range(std::string_view header, std::int64_t size) {
  const ByteRange whole{.count = size};
  const ByteRange refused{.kind = ByteRange::Kind::unsatisfiable};
  header = trimmed(header);
  if (lower_case(header.substr(0, 6)) != "bytes=") return whole;
  const auto text = trimmed(header.substr(6));
  if (text.find(',') != std::string_view::npos) return whole;
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return refused;
  const auto from = text.substr(0, dash);
  const auto to = text.substr(dash + 1);
  if (from.empty()) {  // the last n bytes
    const auto count = whole_number(to);
    if (to.empty() || !count || *count == 0 || size == 0) return refused;
    const std::int64_t taken = std::min(*count, size);
    return {ByteRange::Kind::part, size - taken, taken};
  }
  const auto first = whole_number(from);
  const auto last = to.empty() ? std::optional(size - 1) : whole_number(to);
  if (!first || !last || *first >= size || *last < *first) return refused;
  return {ByteRange::Kind::part, *first, std::min(*last, size - 1) - *first + 1};
}

bool none_match_holds(std::string_view header, std::string_view etag) {
  if (etag.empty()) return false;
  if (trimmed(header) == "*") return true;
  const auto wanted = without_weakness(etag);
  while (!header.empty()) {
    header = trimmed(header);
    if (header.starts_with(',')) {
      header.remove_prefix(1);
      continue;
    }
    const std::string_view one = without_weakness(header);
    if (!one.starts_with('"')) return false;
    const auto end = one.find('"', 1);
    if (end == std::string_view::npos) return false;
    if (one.substr(0, end + 1) == wanted) return true;
    header = one.substr(end + 1);
  }
  return false;
}

bool range_may_stand(std::string_view if_range, std::string_view etag, std::string_view last_modified) {
  if_range = trimmed(if_range);
  if (if_range.empty()) return true;
  if (if_range.starts_with('"')) return if_range == etag;
  return !if_range.starts_with("W/") && !last_modified.empty() && if_range == last_modified;
}

std::string http_date(std::time_t time) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                                   kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                                   utc.tm_min, utc.tm_sec);
  return {text.data(), static_cast<std::size_t>(std::max(length, 0))};
}

}  // namespace reeltag::http::server
