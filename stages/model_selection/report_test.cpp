#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "display.hpp"
#include "text.hpp"

namespace reeltag::model_selection {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

Answer answer() {
  Answer a{.machine = {.cpu = "A CPU", .threads = 2, .free_bytes = 8e9},
           .program = "1",
           .libtorch = "2",
           .limits = {.ms_per_video = 2000, .views = 5, .free_bytes = 8e9}};
  const auto add = [&](const std::string& name, double ms, double top1, bool measured = true) {
    a.nets_considered.nets.push_back({.name = name,
                                      .training_set = "kinetics",
                                      .parameters = 34'537'744,
                                      .multiply_adds = 64.457e9,
                                      .published = PublishedAccuracy{.top1 = top1, .views = "1x5"},
                                      .cost = {.ms_per_view = ms, .peak_bytes = 1.25e9, .measured = measured}});
  };
  add("Kinetics/FAST", 100, .70);
  add("Kinetics/GOOD", 300, .80);
  add("Kinetics/BEATEN", 310, .75);
  add("Kinetics/GUESSED", 12345, .86, /*measured=*/false);
  a.nets_considered.nets.push_back({.name = "small/<X>", .cost = {.failure = "killed & gone"}});
  a.nets_considered.omitted = {{"masked/PT", "no classifier"}, {"masked/PT2", "no classifier"}};
  a.choice = choose(a.nets_considered.nets, a.limits);
  return a;
}

std::string line_with(const std::vector<std::string>& lines, const std::string& word) {
  for (const auto& line : lines) {
    if (line.find(word) != std::string::npos) return line;
  }
  return "";
}

TEST(Figures, AreShortAndReadable) {
  EXPECT_EQ(thousands(1234567.8), "1,234,568");
  EXPECT_EQ(thousands(999.6), "1,000");
  EXPECT_EQ(thousands(34.21), "34.2");
  EXPECT_EQ(thousands(3.421), "3.42");
  EXPECT_EQ(thousands(kUnknown), "-");
  EXPECT_EQ(short_number(2000), "2000");
  EXPECT_EQ(short_number(100), "100");
  EXPECT_EQ(short_number(1.5), "1.5");
  EXPECT_EQ(gigabytes(1.25e9), "1.25 GB");
  EXPECT_EQ(percentage(.81), "81.0 %");
}

TEST(Table, MarksThePickTheFrontAndEstimates) {
  const auto lines = to_table(answer());
  EXPECT_THAT(lines[0], HasSubstr("A CPU, 2 threads, 8.00 GB free; a video is 5 views"));
  EXPECT_THAT(line_with(lines, "Kinetics/GOOD "), HasSubstr(">* Kinetics/GOOD"));
  EXPECT_THAT(line_with(lines, "Kinetics/GOOD "), HasSubstr("1,500"));
  EXPECT_THAT(line_with(lines, "Kinetics/GOOD "), HasSubstr("80.0 %  kinetics, 1x5 views"));
  EXPECT_THAT(line_with(lines, "Kinetics/FAST"), HasSubstr(" * Kinetics/FAST"));
  EXPECT_THAT(line_with(lines, "Kinetics/BEATEN"), HasSubstr("   Kinetics/BEATEN"));
  EXPECT_THAT(line_with(lines, "Kinetics/GUESSED"), HasSubstr("~12,345"));
  EXPECT_THAT(lines, Contains("left out, no classifier: masked/PT, masked/PT2"));
  EXPECT_THAT(lines, Contains("not measured: small/<X>: killed & gone"));
  EXPECT_THAT(line_with(lines, "kinetics: "), HasSubstr("Kinetics/GOOD is the most accurate"));
}

TEST(Json, HasTheSameFigures) {
  const auto json = nlohmann::json::parse(to_json(answer()));
  EXPECT_EQ(json["pick"]["net"], "Kinetics/GOOD");
  ASSERT_THAT(json["nets"], SizeIs(5));
  EXPECT_EQ(json["nets"][1]["ms_per_video"], 1500.0);
  EXPECT_EQ(json["nets"][1]["measured"], true);
  EXPECT_EQ(json["nets"][3]["measured"], false);
  EXPECT_EQ(json["nets"][4]["ms_per_view"], nullptr);
  EXPECT_EQ(json["nets"][4]["error"], "killed & gone");
  EXPECT_EQ(json["fronts"][0]["nets"][1]["net"], "Kinetics/GOOD");
  EXPECT_EQ(json["fronts"][0]["nets"][2]["on_front"], false);
  EXPECT_EQ(json["left_out"][0]["net"], "masked/PT");
}

TEST(Report, ShowsThePickTheLimitAndTheTable) {
  const std::string html = to_html(answer());
  EXPECT_THAT(html, HasSubstr("Kinetics/GOOD is the most accurate net on kinetics within 2,000 ms per video"));
  EXPECT_THAT(html, HasSubstr("over 2,000 ms per video"));
  EXPECT_THAT(html, HasSubstr("<rect x="));
  EXPECT_THAT(html, HasSubstr("<tr class=\"pick\"><td>Kinetics/GOOD</td>"));
  EXPECT_THAT(html, HasSubstr("~12,345"));
  EXPECT_THAT(html, HasSubstr("r=\"6.5\""));  // the pick's dot
  EXPECT_THAT(html, HasSubstr("small/&lt;X&gt;"));
  EXPECT_THAT(html, HasSubstr("killed &amp; gone"));
  EXPECT_THAT(html, Not(HasSubstr("<X>")));
  EXPECT_THAT(html, Not(HasSubstr("http")));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(Report, StandsWithoutAnyFigure) {
  Answer a;
  a.nets_considered.nets.push_back({.name = "x", .cost = {.failure = "killed"}});
  a.choice = choose(a.nets_considered.nets, a.limits);
  const std::string html = to_html(a);
  EXPECT_THAT(html, HasSubstr("none of them could be measured"));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace reeltag::model_selection
