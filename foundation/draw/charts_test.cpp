#include "reeltag/draw/charts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace reeltag::draw {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Ticks, AreRoundAndInside) {
  EXPECT_THAT(ticks(0, 1, 5), ElementsAre(0, DoubleNear(.2, 1e-9), DoubleNear(.4, 1e-9), DoubleNear(.6, 1e-9),
                                          DoubleNear(.8, 1e-9), 1));
  EXPECT_THAT(ticks(1, 30, 7), ElementsAre(5, 10, 15, 20, 25, 30));
  EXPECT_THAT(ticks(3, 3, 5), ElementsAre(3));
  EXPECT_LE(ticks(0, 0.00037, 6).size(), 7U);
}

TEST(LineChart, DrawsWhatIsANumberWhereItBelongs) {
  const Chart chart{.title = "Loss",
                    .x = {.label = "Epoch", .low = 0, .high = 10},
                    .y = {.label = "Nats", .low = 0, .high = 1},
                    .series = {{.name = "train", .points = {{0, 0}, {5, NAN}, {10, 1}}}}};
  const std::string svg = line_chart(chart);
  // The plot spans 54..386 by 12..204.
  EXPECT_THAT(svg, HasSubstr("d=\"M54.0 204.0L386.0 12.0\""));
  EXPECT_THAT(svg, HasSubstr("<figcaption>Loss</figcaption>"));
  EXPECT_THAT(svg, HasSubstr(">Epoch</text>"));
  EXPECT_THAT(svg, HasSubstr(">Nats</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(Ticks, OfALogarithmicAxisAreFewAndRound) {
  EXPECT_THAT(log_ticks(3, 60, 7), ElementsAre(5, 10, 20, 50));
  EXPECT_THAT(log_ticks(2, 30000, 7), ElementsAre(10, 100, 1000, 10000));
  EXPECT_THAT(log_ticks(0, 10, 7), ElementsAre(0));
}

TEST(LineChart, ALogarithmicAxisGivesEachPowerTheSameRoom) {
  const Chart chart{.title = "T",
                    .x = {.label = "ms", .low = 1, .high = 100, .log = true},
                    .y = {.label = "share"},
                    .series = {{.name = "nets",
                                .points = {{1, 0}, {10, 0.5}, {100, 1}},
                                .dots = true,
                                .line = false,
                                .labels = {"<a>", "", "c"}}},
                    .beyond = 10,
                    .beyond_name = "over"};
  const std::string svg = line_chart(chart);
  EXPECT_THAT(svg, HasSubstr("cx=\"54.0\""));
  EXPECT_THAT(svg, HasSubstr("cx=\"220.0\""));  // the middle of 54..386
  EXPECT_THAT(svg, HasSubstr("cx=\"386.0\""));
  EXPECT_THAT(svg, HasSubstr("x=\"220.0\" y=\"12.0\" width=\"166.0\""));  // the area beyond the limit
  EXPECT_THAT(svg, HasSubstr(">&lt;a&gt;</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("<path")));
}

TEST(LineChart, NothingIsShadedWhereTheLimitIsOffTheChart) {
  Chart chart{.title = "T", .x = {.label = "x"}, .y = {.label = "y"}, .series = {}};
  EXPECT_THAT(line_chart(chart), Not(HasSubstr("over")));
  chart.beyond = 2.0;
  EXPECT_THAT(line_chart(chart), Not(HasSubstr("over")));
}

TEST(BarRows, LengthIsTheShareAndTextIsEscaped) {
  const std::string svg = bar_rows("T", "A", {{.name = "<b>", .value = "25", .note = "\"n\"", .share = 0.25}});
  EXPECT_THAT(svg, HasSubstr("width=\"49.0\""));  // a quarter of 196
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(svg, HasSubstr("&quot;n&quot;"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
}

TEST(HeatMap, CellsAreSharesOfTheirRow) {
  const std::string svg =
      heat_map("C", {.rows = "true", .columns = "guess", .joint = "named"}, {"a", "b"}, {{3, 1}, {0, 0}});
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"0.78\""));  // 0.12 + 0.88 * 3/4
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"0.34\""));
  EXPECT_THAT(svg, HasSubstr("<title>a named b: 1 of 4</title>"));
  EXPECT_THAT(svg, HasSubstr("class=\"miss\""));
}

TEST(Histogram, BarsStandOnTheAxis) {
  const Chart chart{.title = "H", .x = {.label = "x"}, .y = {.label = "y", .high = 0.5, .percent = true}, .series = {}};
  const std::string svg = histogram(chart, {{0.5, 0.25}});
  EXPECT_THAT(svg, HasSubstr("y=\"12.0\""));  // full height
  EXPECT_THAT(svg, HasSubstr("height=\"192.0\""));
  EXPECT_THAT(svg, HasSubstr("height=\"96.0\""));
}

}  // namespace
}  // namespace reeltag::draw
