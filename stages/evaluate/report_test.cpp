#include "report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <string>
#include <vector>

#include "curves.hpp"
#include "examples.hpp"
#include "metrics.hpp"

namespace reeltag::evaluate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Evaluation evaluation(dataset::LabelMode mode) {
  Evaluation e;
  e.dataset = "d";
  e.model = "m";
  e.label_mode = mode;
  e.hashtags = {"a", "b", "c"};
  for (int i = 0; i < 30; ++i) {
    Sample s{"g" + std::to_string(i / 2), {i % 3}, {.2F, .3F, .1F}};
    s.scores[static_cast<std::size_t>(i % 5 == 0 ? 0 : i % 3)] = .6F + .01F * static_cast<float>(i);
    e.samples.push_back(s);
    e.videos.push_back("video" + std::to_string(i));
  }
  return e;
}

void fill(Evaluation& e) {
  e.metrics = measure(e.samples, std::vector<double>(e.hashtags.size(), 0.5), e.label_mode, 50);
  e.curves = draw_curves(e.samples, e.hashtags.size(), e.label_mode);
  pick_examples(e);
}

// Checks that opened elements are closed in order; enough to detect a missing or misplaced tag.
void expect_balanced(const std::string& html) {
  static const std::regex tag("<(/?)([a-z0-9]+)[^>]*?(/?)>");
  std::vector<std::string> open{"html"};  // stands before the body
  const std::string body = html.substr(html.find("<body"));
  for (std::sregex_iterator i(body.begin(), body.end(), tag), end; i != end; ++i) {
    const std::string name = (*i)[2];
    if ((*i)[3] == "/" || name == "img" || name == "meta") continue;
    if ((*i)[1] != "/") {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << "</" << name << ">";
      ASSERT_EQ(open.back(), name) << "before ..." << body.substr(static_cast<std::size_t>(i->position()), 80);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty()) << open.back();
}

TEST(Report, NeedsNothingFromOutside) {
  Evaluation e = evaluation(dataset::LabelMode::single);
  fill(e);
  const std::string html = to_html(e, {});
  EXPECT_THAT(html, Not(HasSubstr("http")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("url(")));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(Report, SaysTheFigureInPlainWords) {
  Evaluation e = evaluation(dataset::LabelMode::single);
  fill(e);
  const auto right = static_cast<int>(std::lround(100 * e.metrics.top1.value));
  EXPECT_THAT(to_html(e, {}), HasSubstr("For <b>" + std::to_string(right) + " of 100 videos</b>"));
}

TEST(Report, ConfusionOnlyForOneLabel) {
  Evaluation single = evaluation(dataset::LabelMode::single), multi = evaluation(dataset::LabelMode::multi);
  fill(single);
  fill(multi);
  EXPECT_THAT(to_html(single, {}), HasSubstr("Confusion matrix"));
  EXPECT_THAT(to_html(multi, {}), Not(HasSubstr("Confusion matrix")));
  expect_balanced(to_html(single, {}));
  expect_balanced(to_html(multi, {}));
}

TEST(Report, TextFromDataIsNeverMarkup) {
  Evaluation e = evaluation(dataset::LabelMode::single);
  const std::string evil = "<img src=x onerror=\"1\">'&";
  e.model = e.dataset = evil;
  for (auto& h : e.hashtags) h += evil;
  for (auto& v : e.videos) v = evil + v;
  e.missing_in_model = e.missing_in_data = {evil};
  e.failures = {{evil, {Code::decode_failed, evil}}};
  fill(e);
  for (auto* list : {&e.best, &e.worst}) {
    for (auto& x : *list) x.caption = evil;
  }
  const std::string html = to_html(e, {});
  EXPECT_THAT(html, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(html, Not(HasSubstr("onerror=\"1\"")));
  EXPECT_THAT(html, HasSubstr("&lt;img src=x onerror=&quot;1&quot;&gt;&#39;&amp;"));
  expect_balanced(html);
}

TEST(Report, DrawsTheTrainingWhereThereIsALog) {
  Evaluation e = evaluation(dataset::LabelMode::multi);
  fill(e);
  EXPECT_THAT(to_html(e, {}), Not(HasSubstr("How it was trained")));
  const std::string html = to_html(e, {{1, 2.0, .2, 2.1, .1, 1e-3, 4.0}, {2, 1.5, .4, 1.9, .3, 5e-4, 2.5}});
  EXPECT_THAT(html, HasSubstr("How it was trained"));
  EXPECT_THAT(html, HasSubstr("waited 6.5&nbsp;s"));
  EXPECT_THAT(html, HasSubstr("epoch 2: 1.50000"));
  expect_balanced(html);
}

TEST(Report, StandsWithNothingToMeasure) {
  Evaluation e = evaluation(dataset::LabelMode::multi);
  for (auto& s : e.samples) s.labels.clear();
  fill(e);
  const std::string html = to_html(e, {});
  EXPECT_THAT(html, HasSubstr("nothing to measure"));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  expect_balanced(html);
}

TEST(Examples, BestAreRightWorstAreWrong) {
  Evaluation e = evaluation(dataset::LabelMode::single);
  e.options.examples = 4;
  fill(e);
  ASSERT_EQ(e.best.size(), 4U);
  for (const auto& x : e.best) EXPECT_EQ(x.predicted.front().first, x.hashtags.front());
  ASSERT_FALSE(e.worst.empty());
  for (const auto& x : e.worst) EXPECT_NE(x.predicted.front().first, x.hashtags.front());
  EXPECT_GE(e.best[0].quality, e.best[1].quality);
  EXPECT_LE(e.worst[0].quality, e.worst[1].quality);
}

}  // namespace
}  // namespace reeltag::evaluate
