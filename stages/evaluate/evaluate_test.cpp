#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

#include "prefetch.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/model/input.hpp"
#include "run.hpp"

namespace reeltag::evaluate {
namespace {

using dataset::Split;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::array<const char*, 3> kColors{"red", "green", "blue"};

// Clips of one colour, a dataset over them, and a "network" that predicts the strongest colour channel.
class Evaluate : public ::testing::Test {
 protected:
  Evaluate() : store_(store::open((folder_.path() / "store").string())) {
    set_.id = "0123456789abcdef";
    set_.vocabulary = {"red", "green", "blue"};
    bundle_.name = "colours";
    bundle_.vocabulary = {"blue", "green", "red"};  // another order than the dataset's
    bundle_.scoring.thresholds = {0.5, 0.6, 0.7};
    options_.resamples = 20;
  }

  // label: in the dataset; color: of the frames.
  void add(const std::string& video, int label, int color) {
    media::Frames frames{.count = 6, .height = 32, .width = 32, .data = {}, .times = {}};
    for (int i = 0; i < frames.count * 32 * 32; ++i) {
      for (int c = 0; c < 3; ++c) frames.data.push_back(c == color ? 220 : 20);
    }
    const auto path = folder_.path() / (video + ".mp4");
    ASSERT_TRUE(media::encode_mp4(frames, 6.0, path));
    store_->put_file("videos/" + video, path);
    add_item(video, {label});
  }
  void add_item(const std::string& video, std::vector<int> labels) {
    set_.items.push_back({.video = video,
                          .key = "videos/" + video,
                          .group = video,
                          .split = Split::test,
                          .labels = std::move(labels),
                          .hashtags = {},
                          .caption = "seen: " + video});
  }

  Model model() {
    return {bundle_, choose_frames(), [this](const dataset::Item&, const DecodedVideo& video, Orders orders) {
              std::vector<model::Prediction> out;
              for (const auto order : orders) out.push_back(predict(video, order));
              return Result<std::vector<model::Prediction>>(std::move(out));
            }};
  }
  // The first and the last frame of each view of one second.
  static ChooseFrames choose_frames() {
    return [](double duration) {
      Request request{model::cover(duration, 1.0, 30), {.times = {}, .scale = {.short_side = 16}}};
      for (const auto& view : request.views) {
        request.wanted.times.push_back(view.start);
        request.wanted.times.push_back(view.end);
      }
      return request;
    };
  }
  // Ignores motion, except that reversed frames score as blue.
  model::Prediction predict(const DecodedVideo& video, model::TimeOrder order) const {
    const auto& frames = video.frames;
    EXPECT_EQ(frames.count, static_cast<int>(2 * video.views.size()));
    std::array<float, 3> rgb{};
    for (std::size_t i = 0; i < frames.data.size(); ++i) rgb[i % 3] += static_cast<float>(frames.data[i]);
    if (order == model::TimeOrder::reversed) rgb = {0.0F, 0.0F, 1.0F};
    const float sum = rgb[0] + rgb[1] + rgb[2];
    model::Prediction p{.views = video.views, .scores = {}, .mean = {}};
    for (const auto& hashtag : bundle_.vocabulary) {
      float score = 0.0F;
      for (std::size_t c = 0; c < 3; ++c) score += hashtag == kColors[c] ? rgb[c] / sum : 0.0F;
      p.mean.push_back(score);
    }
    return p;
  }
  Evaluation go() { return run(set_, Split::test, model(), *store_, options_, nullptr); }

  TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
  dataset::Dataset set_;
  model::Bundle bundle_;
  EvaluateOptions options_;
};

TEST_F(Evaluate, MatchesHashtagsByNameAndCountsWhatIsSeen) {
  set_.label_mode = dataset::LabelMode::single;
  add("v0", 0, 0);
  add("v1", 1, 1);
  add("v2", 2, 2);
  add("v3", 2, 1);  // labelled blue, coloured green
  std::int64_t last = 0;
  const Evaluation e = run(set_, Split::test, model(), *store_, options_,
                           [&](std::int64_t done, std::int64_t total) { last = done * 100 + total; });
  EXPECT_EQ(last, 404);
  EXPECT_DOUBLE_EQ(e.metrics.top1.value, 0.75);
  EXPECT_EQ(e.metrics.confusion[2][1], 1);
  EXPECT_DOUBLE_EQ(e.metrics.classes[0].threshold, 0.7);  // red's, which the model lists last
  EXPECT_THAT(e.videos, ElementsAre("v0", "v1", "v2", "v3"));
  ASSERT_EQ(e.worst.size(), 1U);
  EXPECT_EQ(e.worst[0].video, "v3");
  EXPECT_EQ(e.worst[0].predicted.front().first, "green");
  EXPECT_EQ(e.worst[0].caption, "seen: v3");
  EXPECT_EQ(e.worst[0].jpeg.substr(0, 2), "\xFF\xD8");
  EXPECT_EQ(e.best.size(), 3U);
}

TEST_F(Evaluate, ABadVideoIsCountedAndTheRestScored) {
  add("good", 0, 0);
  store_->put("videos/text", "this is no video");
  add_item("text", {1});
  add_item("lost", {1});  // nothing in the store
  add("fine", 1, 1);
  const Evaluation e = go();
  EXPECT_THAT(e.videos, ElementsAre("good", "fine"));
  ASSERT_EQ(e.failures.size(), 2U);
  EXPECT_EQ(e.failures[0].video, "text");
  EXPECT_EQ(e.failures[0].error.code, Code::not_a_video);
  EXPECT_EQ(e.failures[1].error.code, Code::not_found);
  const auto line = nlohmann::json::parse(to_json(e));
  EXPECT_EQ(line["videos"], 2);
  EXPECT_EQ(line["failed"], 2);
  EXPECT_EQ(line["failures"]["not_a_video"], 1);
}

TEST_F(Evaluate, OnlyHashtagsThatBothKnowAreScored) {
  set_.vocabulary = {"cat", "red", "green"};
  add("v0", 1, 0);
  add("v1", 0, 2);  // a cat: the model knows none
  const Evaluation e = go();
  EXPECT_THAT(e.hashtags, ElementsAre("red", "green"));
  EXPECT_THAT(e.missing_in_model, ElementsAre("cat"));
  EXPECT_THAT(e.missing_in_data, ElementsAre("blue"));
  EXPECT_EQ(e.metrics.labelled, 1);
  EXPECT_EQ(e.metrics.videos, 2);

  bundle_.vocabulary = {"x", "y", "z"};
  EXPECT_THROW(go(), Exception);
}

TEST_F(Evaluate, TellsWhatIsLeftWhenTimeIsDestroyed) {
  set_.label_mode = dataset::LabelMode::single;
  for (int i = 0; i < 4; ++i) add("v" + std::to_string(i), i % 2, i % 2);
  const Evaluation e = go();
  ASSERT_EQ(e.time.size(), 3U);
  EXPECT_EQ(e.time[0].order, model::TimeOrder::repeated);
  EXPECT_DOUBLE_EQ(e.time[0].top1.value, 1.0);
  EXPECT_EQ(e.time[2].order, model::TimeOrder::reversed);
  EXPECT_DOUBLE_EQ(e.time[2].top1.value, 0.0);
  EXPECT_DOUBLE_EQ(e.metrics.top1.value, 1.0);
  const auto line = nlohmann::json::parse(to_json(e));
  EXPECT_EQ(line["time"]["shuffled"]["top1"], 1.0);
  EXPECT_EQ(line["time"]["reversed"]["top1"], 0.0);
  options_.time_check = false;
  EXPECT_TRUE(go().time.empty());
}

TEST_F(Evaluate, ManyThreadsGiveTheSameFigures) {
  for (int i = 0; i < 9; ++i) add("v" + std::to_string(i), i % 3, i % 2);
  options_.threads = 1;
  const Evaluation one = go();
  options_.threads = 8;
  const Evaluation eight = go();
  EXPECT_EQ(one.videos, eight.videos);
  EXPECT_EQ(one.metrics.map.value, eight.metrics.map.value);
  EXPECT_EQ(one.metrics.top1.low, eight.metrics.top1.low);
}

TEST_F(Evaluate, AnEmptySplitOrNothingReadableEndsTheRun) {
  add_item("lost", {0});
  try {
    go();
    FAIL() << "no video could be read";
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::unavailable);
  }
  set_.items[0].split = Split::train;
  try {
    go();
    FAIL() << "the split is empty";
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::not_found);
    EXPECT_THAT(e.what(), HasSubstr("test split"));
  }
}

TEST_F(Evaluate, AStoppedPrefetchEnds) {
  for (int i = 0; i < 6; ++i) add("v" + std::to_string(i), 0, 0);
  std::vector<std::string> keys;
  for (const auto& item : set_.items) keys.push_back(item.key);
  Prefetch prefetch(keys, choose_frames(), options_, *store_);
  EXPECT_TRUE(prefetch.next());
}  // the destructor joins workers that still have videos to go

TEST_F(Evaluate, WritesBothFiles) {
  add("v0", 0, 0);
  const auto run_folder = folder_.path() / "run";
  write_results(run_folder, go());
  const auto metrics = nlohmann::json::parse(*read_file(run_folder / "metrics.json", 1 << 20));
  EXPECT_EQ(metrics["dataset"], "0123456789abcdef");
  EXPECT_EQ(metrics["classes"][0]["hashtag"], "red");
  EXPECT_EQ(metrics["classes"][1]["ap"]["value"], nullptr);  // no video of it
  EXPECT_THAT(*read_file(run_folder / "report.html", 1 << 24), HasSubstr("data:image/jpeg;base64,/9j/"));
}

}  // namespace
}  // namespace reeltag::evaluate
