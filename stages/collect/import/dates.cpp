#include "import/dates.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>

namespace reeltag::collect {
namespace {

constexpr int kDay = 86'400;

struct DateTime {
  int year = 0;
  unsigned month = 0, day = 0;
  int seconds = 0;  // of the day
  int offset = 0;   // of the time zone, seconds east of UTC
};

std::optional<std::int64_t> since_1970(const DateTime& d) {
  const std::chrono::year_month_day date{std::chrono::year(d.year), std::chrono::month(d.month),
                                         std::chrono::day(d.day)};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return std::chrono::seconds(days).count() + d.seconds - d.offset;
}

// Reads a text from left to right. Each function consumes what it finds, or nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  bool skip(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_spaces() {
    while (skip(" \t")) continue;
  }
  // From `least` to `most` digits.
  std::optional<int> digits(std::size_t least, std::size_t most) {
    std::size_t n = 0;
    int value = 0;
    while (n < rest_.size() && n < most && std::isdigit(static_cast<unsigned char>(rest_[n])) != 0) {
      value = value * 10 + (rest_[n++] - '0');
    }
    if (n < least) return std::nullopt;
    rest_.remove_prefix(n);
    return value;
  }
  // Letters, in lower case.
  std::string word() {
    std::string out;
    while (!rest_.empty() && std::isalpha(static_cast<unsigned char>(rest_.front())) != 0) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(rest_.front())));
      rest_.remove_prefix(1);
    }
    return out;
  }
  // "(CEST)" at the end.
  void skip_comment() {
    if (rest_.starts_with('(') && rest_.ends_with(')')) rest_ = {};
  }

 private:
  std::string_view rest_;
};

// "15:45", "15:45:53", "15:45:53.123456".
bool read_time(Scanner& text, DateTime& d) {
  const auto hour = text.digits(1, 2);
  if (!hour || !text.skip(":")) return false;
  const auto minute = text.digits(2, 2);
  if (!minute) return false;
  int second = 0;
  if (text.skip(":")) {
    const auto read = text.digits(2, 2);
    if (!read) return false;
    second = *read;
    if (text.skip(".,") && !text.digits(1, 12)) return false;
  }
  d.seconds = *hour * 3600 + *minute * 60 + second;
  return *hour < 24 && *minute < 60 && second <= 60;
}

// "Z", "UTC", "GMT", "+02", "+0200", "+02:00", "GMT+0200 (CEST)"; nothing at all is UTC.
bool read_zone(Scanner& text, DateTime& d) {
  text.skip_spaces();
  const auto name = text.word();
  if (!name.empty() && name != "z" && name != "utc" && name != "gmt") return false;
  const bool east = text.skip("+");
  if (east || text.skip("-")) {
    const auto hours = text.digits(2, 2);
    if (!hours) return false;
    text.skip(":");
    const auto minutes = text.digits(2, 2).value_or(0);
    if (*hours > 14 || minutes > 59) return false;
    d.offset = (east ? 1 : -1) * (*hours * 3600 + minutes * 60);
  }
  text.skip_spaces();
  text.skip_comment();
  return text.at_end();
}

// "2025-05-19", "2025/05/19", "2025.05.19", with a time after 'T' or spaces, and a zone.
std::optional<std::int64_t> year_first(std::string_view whole) {
  Scanner text(whole);
  DateTime d;
  const auto year = text.digits(4, 4);
  if (!year || !text.skip("-/.")) return std::nullopt;
  const auto month = text.digits(1, 2);
  if (!month || !text.skip("-/.")) return std::nullopt;
  const auto day = text.digits(1, 2);
  if (!day) return std::nullopt;
  d.year = *year, d.month = static_cast<unsigned>(*month), d.day = static_cast<unsigned>(*day);
  if (text.at_end()) return since_1970(d);
  if (!text.skip("Tt")) {
    if (!text.skip(" ")) return std::nullopt;
    text.skip_spaces();
  }
  if (text.at_end()) return since_1970(d);
  if (!read_time(text, d) || !read_zone(text, d)) return std::nullopt;
  return since_1970(d);
}

unsigned month_of(const std::string& word) {
  static constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                            "jul", "aug", "sep", "oct", "nov", "dec"};
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (word.size() >= 3 && word.starts_with(kMonths[i])) return i + 1;
  }
  return 0;
}

// "Mon, 19 May 2025 15:45:53 GMT", "Mon May 19 2025 15:45:53 GMT+0200 (CEST)", "19 May 2025", "May 19, 2025".
std::optional<std::int64_t> named_month(std::string_view whole) {
  Scanner text(whole);
  DateTime d;
  auto word = text.word();
  if (!word.empty() && month_of(word) == 0) {  // the day of the week
    text.skip(",");
    text.skip_spaces();
    word = text.word();
  }
  std::optional<int> day;
  if (word.empty()) {
    day = text.digits(1, 2);
    text.skip_spaces();
    word = text.word();
    text.skip(".");
  } else {
    text.skip_spaces();
    day = text.digits(1, 2);
    text.skip(",");
  }
  d.month = month_of(word);
  text.skip_spaces();
  const auto year = text.digits(4, 4);
  if (!day || !year || d.month == 0) return std::nullopt;
  d.year = *year, d.day = static_cast<unsigned>(*day);
  text.skip(",");
  text.skip_spaces();
  if (text.at_end()) return since_1970(d);
  if (!read_time(text, d) || !read_zone(text, d)) return std::nullopt;
  return since_1970(d);
}

// "20250519", "20250519154553", as file names and yt-dlp have it.
std::optional<std::int64_t> digits_only(std::string_view whole) {
  if (whole.size() != 8 && whole.size() != 14) return std::nullopt;
  Scanner text(whole);
  DateTime d;
  d.year = text.digits(4, 4).value_or(0);
  d.month = static_cast<unsigned>(text.digits(2, 2).value_or(0));
  d.day = static_cast<unsigned>(text.digits(2, 2).value_or(0));
  if (d.year < 1900 || d.year > 2100) return std::nullopt;
  if (whole.size() == 14) {
    const int hour = text.digits(2, 2).value_or(kDay), minute = text.digits(2, 2).value_or(kDay);
    d.seconds = hour * 3600 + minute * 60 + text.digits(2, 2).value_or(kDay);
    if (hour > 23 || minute > 59 || d.seconds >= kDay) return std::nullopt;
  }
  return text.at_end() ? since_1970(d) : std::nullopt;
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::int64_t> seconds_of_number(double number) {
  // Seconds reach 1e11 in the year 5138; as milliseconds that is 1973.
  constexpr double kMaxSeconds = 1e11, kThousand = 1e3;
  if (!std::isfinite(number)) return std::nullopt;
  for (int power = 0; power < 4; ++power, number /= kThousand) {
    if (std::abs(number) < kMaxSeconds) return static_cast<std::int64_t>(std::floor(number));
  }
  return std::nullopt;
}

std::optional<std::int64_t> seconds_of_date(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  if (auto seconds = digits_only(text)) return seconds;
  if (const auto number = number_of(text)) return seconds_of_number(*number);
  if (auto seconds = year_first(text)) return seconds;
  return named_month(text);
}

}  // namespace reeltag::collect
