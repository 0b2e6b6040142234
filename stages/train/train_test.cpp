#include "reeltag/train.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "loader.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/catalog.hpp"

namespace reeltag::train {
namespace {

namespace fs = std::filesystem;

// Videos of moving colour: class 0 is red, class 1 is blue. Enough for a net to learn in a few steps.
class TrainTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::open((folder_.path() / "store").string());
    for (int i = 0; i < 16; ++i) add(i, i % 2, i % 4 == 3 ? dataset::Split::val : dataset::Split::train);
    set_.id = "0123456789abcdef";
    set_.label_mode = dataset::LabelMode::single;
    set_.vocabulary = {"red", "blue"};
  }

  void add(int i, int label, dataset::Split split) {
    media::Frames f{.count = 8, .height = 32, .width = 32, .data = {}, .times = {}};
    for (int t = 0; t < f.count; ++t) {
      for (int p = 0; p < 32 * 32; ++p) {
        const auto level = static_cast<std::uint8_t>(150 + (i * 37 + t * 11 + p) % 100);
        f.data.insert(f.data.end(), {label == 0 ? level : std::uint8_t{20}, 20, label == 1 ? level : std::uint8_t{20}});
      }
    }
    const fs::path path = folder_.path() / (std::to_string(i) + ".mp4");
    ASSERT_TRUE(media::encode_mp4(f, 8.0, path));
    const std::string key = "videos/" + path.filename().string();
    store_->put_file(key, path);
    set_.items.push_back({.video = std::to_string(i),
                          .key = key,
                          .group = "g" + std::to_string(i),
                          .split = split,
                          .labels = {label},
                          .hashtags = {},
                          .caption = {}});
  }

  Options options(const std::string& run, int epochs) {
    Options o;
    o.recipe = model::load_recipe("MVITv2_XXS_8");
    for (const auto& [key, value] : {std::pair<const char*, nlohmann::json>{"DATA.NUM_FRAMES", 4},
                                     {"DATA.TRAIN_CROP_SIZE", 32},
                                     {"DATA.TEST_CROP_SIZE", 32},
                                     {"REELTAG.SHORT_SIDE", 32},
                                     {"SOLVER.MAX_EPOCH", epochs},
                                     {"SOLVER.WARMUP_EPOCHS", 0},
                                     {"SOLVER.BASE_LR", 0.002},
                                     {"TRAIN.BATCH_SIZE", 4},
                                     {"MVIT.DEPTH", 2},
                                     {"MVIT.DIM_MUL", nlohmann::json::parse("[[1,2.0]]")},
                                     {"MVIT.HEAD_MUL", nlohmann::json::parse("[[1,2.0]]")},
                                     {"MVIT.POOL_Q_STRIDE", nlohmann::json::parse("[[0,1,1,1],[1,1,2,2]]")}}) {
      model::set(o.recipe, key, value);
    }
    o.run = folder_.path() / "runs" / run;
    o.config.threads = 1;
    return o;
  }

  static std::string weights(const Options& o) { return *read_file(o.run / "bundle" / "weights.safetensors", 1 << 28); }

  TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
  dataset::Dataset set_;
};

TEST_F(TrainTest, LearnsWhatIsThere) {
  int asked = 0;
  const auto o = options("a", 6);
  const auto result = train(set_, *store_, o, [&](const auto& scores, const auto& labels) {
    ++asked;
    int right = 0;
    for (std::size_t v = 0; v < scores.size(); ++v)
      right += scores[v][static_cast<std::size_t>(labels[v][0])] > 0.5F ? 1 : 0;
    return ValidationResult{.figures = {{"top1", static_cast<double>(right) / static_cast<double>(scores.size())}}};
  });
  EXPECT_EQ(asked, 6);
  EXPECT_EQ(result.epochs, 6);
  EXPECT_GT(result.val.at("top1"), 0.9);
  EXPECT_LT(result.train.at("loss"), 0.6);
  EXPECT_TRUE(fs::exists(o.run / "bundle" / "bundle.json"));
  const auto log = *read_file(o.run / "log.jsonl", 1 << 20);
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 6);
}

TEST_F(TrainTest, StoppedInMidEpochAndResumedEndsInTheSameBits) {
  const auto whole = options("whole", 2);
  train(set_, *store_, whole, nullptr);
  auto parts = options("parts", 2);
  int stops = 0;
  for (bool done = false; !done;) {
    std::stop_source stop;
    parts.stop = stop.get_token();
    // Stops a little later each time, at whatever batch that is.
    std::jthread stopper([&, wait = 5 + 10 * stops](const std::stop_token& end) {
      for (int i = 0; i < wait && !end.stop_requested(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      stop.request_stop();
    });
    try {
      train(set_, *store_, parts, nullptr);
      done = true;
    } catch (const Exception& e) {
      ASSERT_EQ(e.code(), Code::interrupted);
      EXPECT_THAT(e.what(), testing::HasSubstr("--resume parts"));
      ++stops;
    }
    parts.resume = true;
    ASSERT_LT(stops, 200);
  }
  EXPECT_GT(stops, 0);
  EXPECT_EQ(weights(whole), weights(parts));
}

TEST_F(TrainTest, DecodeThreadsChangeNothing) {
  auto one = options("one", 1), four = options("four", 1);
  one.config.decode_threads = 1;
  four.config.decode_threads = 4;
  four.config.cache_gb = 0.0;
  train(set_, *store_, one, nullptr);
  train(set_, *store_, four, nullptr);
  EXPECT_EQ(weights(one), weights(four));
}

TEST_F(TrainTest, ABrokenVideoIsLeftOutAndNamed) {
  store_->put("videos/broken.mp4", "this is no video");
  set_.items.push_back({.video = "broken",
                        .key = "videos/broken.mp4",
                        .group = "b",
                        .split = dataset::Split::train,
                        .labels = {0},
                        .hashtags = {},
                        .caption = {}});
  const auto result = train(set_, *store_, options("a", 1), nullptr);
  ASSERT_EQ(result.failed.size(), 1U);
  EXPECT_EQ(result.failed[0].video, "broken");
  EXPECT_EQ(result.failed[0].reason.code, Code::not_a_video);
}

TEST_F(TrainTest, FineTunesToOtherClasses) {
  const auto first = options("first", 2);
  train(set_, *store_, first, nullptr);
  set_.vocabulary = {"red", "blue", "green"};
  auto second = options("second", 1);
  second.start_from = first.run / "bundle";
  EXPECT_EQ(train(set_, *store_, second, nullptr).epochs, 1);
}

TEST_F(TrainTest, ShipsOnlyHashtagsThatBeatTheirPrior) {
  auto o = options("a", 1);
  o.config.min_lift = 2.0;
  train(set_, *store_, o, [](const auto&, const auto&) { return ValidationResult{.figures = {}, .lift = {1.9, 2.1}}; });
  const auto bundle = nlohmann::json::parse(*read_file(o.run / "bundle" / "bundle.json", 1 << 20));
  EXPECT_EQ(bundle["vocabulary"], nlohmann::json({"blue"}));
  EXPECT_EQ(bundle["thresholds"].size(), 1U);
  auto none = options("b", 1);
  none.config.min_lift = 2.0;
  EXPECT_THROW(train(set_, *store_, none,
                     [](const auto&, const auto&) { return ValidationResult{.figures = {}, .lift = {0.0, 1.0}}; }),
               Exception);
}

TEST_F(TrainTest, RefusesAGroupOnTwoSidesAndAnUsedRun) {
  train(set_, *store_, options("a", 1), nullptr);
  EXPECT_THROW(train(set_, *store_, options("a", 1), nullptr), Exception);
  set_.items[0].group = set_.items[3].group;
  EXPECT_THROW(train(set_, *store_, options("b", 1), nullptr), Exception);
}

TEST_F(TrainTest, RefusesRatesBelowZero) {
  for (const auto& [key, value] : {std::pair{"SOLVER.BASE_LR", -0.1},
                                   {"SOLVER.BASE_LR", 0.0},
                                   {"SOLVER.WEIGHT_DECAY", -1e-4},
                                   {"SOLVER.WARMUP_START_LR", -1.0},
                                   {"SOLVER.COSINE_END_LR", -1e-6}}) {
    auto wrong = options("wrong", 1);
    model::set(wrong.recipe, key, value);
    try {
      train(set_, *store_, wrong, nullptr);
      ADD_FAILURE() << key;
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::invalid_config) << key;
      EXPECT_NE(std::string(e.what()).find(key), std::string::npos) << e.what();
    }
  }
}

TEST_F(TrainTest, MultiLabelLearnsToo) {
  set_.label_mode = dataset::LabelMode::multi;
  set_.items[0].labels = {};
  auto o = options("m", 4);
  o.recipe.own.head_prior = 0.1;
  const auto result = train(set_, *store_, o, nullptr);
  EXPECT_GT(result.train.at("top1"), 0.6);
}

TEST(MixSeed, TellsPartsApart) {
  EXPECT_NE(mix_seed({1, 2}), mix_seed({2, 1}));
  EXPECT_NE(mix_seed({0}), mix_seed({0, 0}));
}

}  // namespace
}  // namespace reeltag::train
