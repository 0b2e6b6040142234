#include "reeltag/model/bundle.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "reeltag/model/plan.hpp"

namespace reeltag::model {
namespace {

// Synthetic frames whose brightness encodes their time.
class FakeVideo : public media::Decoder {
 public:
  const media::Probe& probe() const override { return probe_; }
  Result<media::Frames> frames_at(std::span<const double> times, const media::Scale& scale) override {
    ++passes;
    media::Frames f{.count = static_cast<int>(times.size()),
                    .height = scale.short_side,
                    .width = 2 * scale.short_side,
                    .data = {},
                    .times = {}};
    for (const double t : times) {
      f.times.push_back(t);
      f.data.insert(f.data.end(), f.frame_bytes(), static_cast<std::uint8_t>(20 * t));
    }
    return f;
  }
  Result<std::vector<double>> frame_times() override { return std::vector<double>{0.0}; }
  int passes = 0;

 private:
  media::Probe probe_;
};

Bundle small(bool multi) {
  Bundle b{.name = "test",
           .recipe = load_recipe("MVITv2_XXS_8"),
           .vocabulary = {"a", "b", "c"},
           .multi_label = multi,
           .scoring = {.scale = {}, .shift = {}, .thresholds = {0.1, 0.2, 0.3}},
           .trained = R"({"dataset":"d"})",
           .card = "# Card\n"};
  b.recipe.model.num_classes = 3;
  return b;
}

NamedArrays weights_of(const Bundle& b) {
  NamedArrays out;
  for (const auto& [name, shape] : make_plan(b.recipe).parameters)
    out.emplace_back(name, Array{shape, closed_form_weight(name, shape)});
  return out;
}

TEST(Bundle, GivesBackWhatWasSaved) {
  const TemporaryFolder folder;
  const Bundle b = small(true);
  const NamedArrays net = weights_of(b);
  save_bundle(folder.path() / "m", b, &net, Precision::float32);
  const Bundle back = load_bundle(folder.path() / "m");
  EXPECT_EQ(back.name, "test");
  EXPECT_EQ(back.vocabulary, b.vocabulary);
  EXPECT_EQ(back.scoring.thresholds, b.scoring.thresholds);
  EXPECT_EQ(back.card, b.card);
  EXPECT_TRUE(back.multi_label);
  const Weights loaded = load_net_weights(folder.path() / "m", back);
  for (const auto& [name, array] : net) EXPECT_EQ(loaded.at(name).values, array.values) << name;
  EXPECT_THROW(save_bundle(folder.path() / "m", b, &net, Precision::float32), Exception);
}

TEST(Bundle, HalfPrecisionIsHalfTheSizeAndAlmostTheSame) {
  const TemporaryFolder folder;
  const Bundle b = small(true);
  const NamedArrays net = weights_of(b);
  save_bundle(folder.path() / "f", b, &net, Precision::float32);
  save_bundle(folder.path() / "h", b, &net, Precision::float16);
  const auto size = [&](const char* name) {
    return std::filesystem::file_size(folder.path() / name / "weights.safetensors");
  };
  EXPECT_LT(size("h"), size("f") * 0.55);
  FakeVideo video;
  Predictor full(folder.path() / "f"), half(folder.path() / "h");
  const auto wanted = full.predict(video, {{0.0, 2.0}}), found = half.predict(video, {{0.0, 2.0}});
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(found->mean[c], wanted->mean[c], 2e-3);
}

TEST(Bundle, ContradictionsAreCorruptAndNamed) {
  const TemporaryFolder folder;
  Bundle wrong = small(true);
  const NamedArrays net = weights_of(wrong);
  wrong.scoring.thresholds.pop_back();
  EXPECT_THROW(save_bundle(folder.path() / "w", wrong, &net, Precision::float32), Exception);
  save_bundle(folder.path() / "m", small(true), &net, Precision::float32);
  write_file(folder.path() / "m" / "bundle.json", R"({"format":99,"name":"x"})");
  EXPECT_THROW(load_bundle(folder.path() / "m"), Exception);
  try {
    load_bundle(folder.path() / "nothing");
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::not_found);
  }
}

TEST(Predictor, AveragesViewsFromOnePassOverTheVideo) {
  const TemporaryFolder folder;
  for (const bool multi : {true, false}) {
    const auto place = folder.path() / (multi ? "multi" : "single");
    const NamedArrays net = weights_of(small(multi));
    save_bundle(place, small(multi), &net, Precision::float32);
    Predictor predictor(place);
    FakeVideo video;
    const auto views = cover(12.0, 2.0, 100);  // 11 views: more than one batch
    const auto p = predictor.predict(video, views);
    ASSERT_TRUE(p);
    EXPECT_EQ(video.passes, 1);
    ASSERT_EQ(p->scores.size(), 11U);
    float sum = 0.0F, first_class = 0.0F;
    for (const float s : p->mean) sum += s;
    for (const auto& row : p->scores) first_class += row[0] / 11.0F;
    EXPECT_NEAR(first_class, p->mean[0], 1e-5);
    if (!multi) {
      EXPECT_NEAR(sum, 1.0F, 1e-4);
    }
    // A view scores the same alone and in a batch.
    const auto alone = predictor.predict(video, {views[9]});
    EXPECT_NEAR(alone->scores[0][1], p->scores[9][1], 1e-4);
  }
}

}  // namespace
}  // namespace reeltag::model
