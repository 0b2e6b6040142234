#include <barrier>
#include <thread>

#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/plan.hpp"
#include "reeltag/tagger.hpp"

namespace reeltag::tag {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A pattern that moves from left to right; phase differs between videos.
class FakeVideo : public media::Decoder {
 public:
  FakeVideo(double duration, double phase, std::chrono::milliseconds pause = 0ms) : phase_(phase), pause_(pause) {
    probe_.duration = duration;
  }
  const media::Probe& probe() const override { return probe_; }
  Result<media::Frames> frames_at(std::span<const double> times, const media::Scale& scale) override {
    std::this_thread::sleep_for(pause_);
    media::Frames f{.count = static_cast<int>(times.size()),
                    .height = scale.short_side,
                    .width = scale.short_side,
                    .data = {},
                    .times = {times.begin(), times.end()}};
    for (const double t : times)
      for (int i = 0; i < f.height * f.width * 3; ++i)
        f.data.push_back(static_cast<std::uint8_t>(static_cast<int>(i * 0.3 + 40 * (t + phase_)) % 251));
    return f;
  }
  Result<std::vector<double>> frame_times() override { return std::vector<double>{0.0}; }

 private:
  media::Probe probe_;
  double phase_;
  std::chrono::milliseconds pause_;
};

class Batch : public testing::Test {
 protected:
  Batch() {
    model::Bundle b{.name = "net", .recipe = model::load_recipe("MVITv2_XXS_8"), .vocabulary = {"a", "b", "c"}};
    b.recipe.model.num_classes = 3;
    b.scoring.thresholds = {0.1, 0.2, 0.99};
    model::NamedArrays net;
    for (const auto& [name, shape] : model::make_plan(b.recipe).parameters)
      net.emplace_back(name, model::Array{shape, model::closed_form_weight(name, shape)});
    save_bundle(place(), b, &net, model::Precision::float32);
  }
  [[nodiscard]] std::filesystem::path place() const { return folder_.path() / "net"; }
  TemporaryFolder folder_;
};

TEST_F(Batch, ManyAtOnceGetWhatEachGetsAlone) {
  constexpr int kVideos = 12;
  Tagger alone(place(), {});
  const auto model = load_model(place(), {});
  std::vector<Result<TagResult>> together(kVideos, fail(Code::internal, "not asked"));
  std::barrier start(kVideos);
  {
    std::vector<std::jthread> askers;
    for (int i = 0; i < kVideos; ++i) {
      askers.emplace_back([&, i] {
        FakeVideo video(2.0 + i % 3, i);
        start.arrive_and_wait();
        together[static_cast<std::size_t>(i)] = model->tag(video, "video " + std::to_string(i), {});
      });
    }
  }
  for (int i = 0; i < kVideos; ++i) {
    FakeVideo video(2.0 + i % 3, i);
    const auto expected = alone.tag(video, "video " + std::to_string(i));
    const auto& got = together[static_cast<std::size_t>(i)];
    ASSERT_TRUE(expected && got);
    EXPECT_EQ(got->video, expected->video);
    ASSERT_EQ(got->tags.size(), expected->tags.size()) << i;
    for (std::size_t t = 0; t < got->tags.size(); ++t) {
      EXPECT_EQ(got->tags[t].hashtag, expected->tags[t].hashtag);
      EXPECT_NEAR(got->tags[t].score, expected->tags[t].score, 1e-4);
    }
  }
}

TEST_F(Batch, AnAskChangesThresholdAndTop) {
  const auto model = load_model(place(), {});
  FakeVideo video(3.0, 0.0);
  const auto sure = model->tag(video, "v", {.threshold = 1.0});
  ASSERT_TRUE(sure);
  EXPECT_TRUE(sure->unsure);
  EXPECT_EQ(sure->guesses.size(), 3U);
  const auto all = model->tag(video, "v", {.threshold = 0.0, .top = 2});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->tags.size(), 2U);
  EXPECT_EQ(model->vocabulary().size(), 3U);
  for (const auto& tag : all->tags)
    EXPECT_EQ(tag.threshold, tag.hashtag == "a" ? 0.1 : tag.hashtag == "b" ? 0.2 : 0.99);
}

TEST_F(Batch, ADeadlineTakesViewsAway) {
  const auto model = load_model(place(), {});
  FakeVideo slow(40.0, 0.0, 400ms);
  const auto whole = model->tag(slow, "v", {.deadline = Clock::now() + 1h});
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->partial);
  EXPECT_EQ(whole->views, 40);  // 39 views and the whole video
  const auto partial = model->tag(slow, "v", {.deadline = Clock::now() + 60ms});
  ASSERT_TRUE(partial);
  EXPECT_TRUE(partial->partial);
  EXPECT_LT(partial->views, 40);
  EXPECT_GE(partial->views, 1);
  const auto late = model->tag(slow, "v", {.deadline = Clock::now() - 1ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::timeout);
}

TEST_F(Batch, AStopEndsBeforeTheNet) {
  const auto model = load_model(place(), {});
  FakeVideo video(3.0, 0.0);
  std::stop_source stop;
  stop.request_stop();
  const auto tagged = model->tag(video, "v", {.stop = stop.get_token()});
  ASSERT_FALSE(tagged);
  EXPECT_EQ(tagged.error().code, Code::interrupted);
}

}  // namespace
}  // namespace reeltag::tag
