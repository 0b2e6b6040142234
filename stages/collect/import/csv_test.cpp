#include "import/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace reeltag::collect {
namespace {

using testing::ElementsAre;

TEST(Csv, ReadsQuotesCommasLineBreaksAndCarriageReturns) {
  std::istringstream in(
      "\xEF\xBB\xBF"
      "file,caption\r\na.mp4,\"say \"\"hi\"\", twice\"\r\n\r\nb.mp4,\"two\nlines\"\nc.mp4,\n");
  CsvReader csv(in, "m.csv");
  EXPECT_THAT(**csv.next(), ElementsAre("file", "caption"));
  EXPECT_THAT(**csv.next(), ElementsAre("a.mp4", "say \"hi\", twice"));
  EXPECT_EQ(csv.line(), 2);
  EXPECT_THAT(**csv.next(), ElementsAre("b.mp4", "two\nlines"));
  EXPECT_EQ(csv.line(), 4);
  EXPECT_THAT(**csv.next(), ElementsAre("c.mp4", ""));
  EXPECT_EQ(csv.line(), 6);
  EXPECT_FALSE(csv.next().has_value());
}

TEST(Csv, ABrokenRecordIsAnErrorWithItsLineAndTheNextLinesAreStillRead) {
  std::istringstream in("a\n\"never closed\nb\nx\"y\n\"z\"z\nc\n");
  CsvReader csv(in, "m.csv");
  EXPECT_THAT(**csv.next(), ElementsAre("a"));
  const auto open = csv.next();
  ASSERT_TRUE(open.has_value());
  EXPECT_FALSE(open->has_value());
  EXPECT_THAT(open->error().message, testing::StartsWith("m.csv:2: "));
  EXPECT_THAT(**csv.next(), ElementsAre("b"));
  EXPECT_FALSE(csv.next()->has_value());
  EXPECT_EQ(csv.line(), 4);
  EXPECT_FALSE(csv.next()->has_value());
  EXPECT_THAT(**csv.next(), ElementsAre("c"));
  EXPECT_FALSE(csv.next().has_value());
}

}  // namespace
}  // namespace reeltag::collect
