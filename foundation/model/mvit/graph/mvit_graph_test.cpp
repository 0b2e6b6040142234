#include "reeltag/model/mvit_graph.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "positions.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

// The net of a reference vector, as a graph, and the vector's tensors.
struct Golden {
  Recipe recipe;
  Weights tensors, weights;
};

Golden read_golden(const fs::path& file) {
  const auto json = value_or_throw(parse_json(value_or_throw(read_file(file, 64 << 20)), file.string()));
  Golden golden;
  for (const auto& [key, value] : json.at("config").items()) set(golden.recipe, key, value);
  fs::path tensors = file;
  golden.tensors = read_weights(tensors.replace_extension(".safetensors"));
  for (const auto& parameter : make_plan(golden.recipe).parameters) {
    if (const Array* array = golden.tensors.find("param/" + parameter.name)) golden.weights.put(parameter.name, *array);
  }
  return golden;
}

ClipSize size_of(const Array& input) {
  const auto axis = [&](std::size_t from_end) { return static_cast<int>(input.shape[input.shape.size() - from_end]); };
  return {.batch = static_cast<int>(input.shape[0]),
          .frames = input.shape.size() == 5 ? axis(3) : 1,
          .height = axis(2),
          .width = axis(1)};
}

class Vectors : public testing::TestWithParam<const char*> {};

// Those of the repository, else those beside it.
fs::path vector_file(const std::string& name) {
  const fs::path carried = fs::path(REELTAG_SOURCE_DIR) / "tests" / "goldens" / (name + ".json");
  const char* shared = std::getenv("REELTAG_SHARED");
  return fs::exists(carried) || shared == nullptr ? carried : fs::path(shared) / "goldens" / (name + ".json");
}

TEST_P(Vectors, HaveTheReferencesLogits) {
  const fs::path file = vector_file(GetParam());
  if (!fs::exists(file)) GTEST_SKIP() << "needs the reference vectors (REELTAG_SHARED)";
  const Golden golden = read_golden(file);
  const Plan plan = make_plan(golden.recipe);
  const Array &input = golden.tensors.at("input"), &want = golden.tensors.at("logits");
  const infer::CompiledNet net(mvit_graph(plan, golden.weights, size_of(input)), {});
  std::vector<float> logits(want.values.size());
  net.run({{"clips", input.values}}, {{"logits", logits}});
  for (std::size_t i = 0; i < logits.size(); ++i) ASSERT_NEAR(logits[i], want.values[i], 2e-5) << i;
}

INSTANTIATE_TEST_SUITE_P(Goldens, Vectors,
                         testing::Values("d01_v1_conv_cls_seppos", "d02_v2_relpos_cls", "d03_v2_nocls_heads2",
                                         "d04_pool_first_conv_cls", "d05_pool_first_conv_unshared",
                                         "d06_avg_default_kernel", "d07_max_sepqkv_nobias_normstem",
                                         "d08_image_v2_kvlist", "d09_v2_odd_sizes_relpos_interp",
                                         "d10_meanpool_cls_sigmoid", "d11_rev_image_concat_linear", "d12_rev_video_avg",
                                         "d13_fractional_mul_v1", "d14_temporal_pool_all_pos", "d15_vit_fixed_sincos"));

Recipe small_recipe() {
  Recipe recipe;
  recipe.data.num_frames = 4;
  recipe.data.train_crop_size = recipe.data.test_crop_size = 32;
  recipe.mvit.patch_padding = {1, 3, 3};
  recipe.mvit.embed_dim = 16;
  recipe.mvit.depth = 2;
  recipe.model.num_classes = 5;
  return recipe;
}

Weights closed_form_weights(const Plan& plan) {
  Weights weights;
  for (const auto& [name, shape] : plan.parameters) weights.put(name, {shape, closed_form_weight(name, shape)});
  return weights;
}

TEST(MvitGraph, AClipsLogitsDoNotDependOnItsBatch) {
  const Plan plan = make_plan(small_recipe());
  const Weights weights = closed_form_weights(plan);
  const infer::CompiledNet one(mvit_graph(plan, weights, trained_size(plan, 1)), {});
  const infer::CompiledNet three(mvit_graph(plan, weights, trained_size(plan, 3)), {});
  const auto clips = closed_form("input", 3UL * 3 * 4 * 32 * 32, 0.0, 2.0);
  std::vector<float> together(15), alone(5);
  three.run({{"clips", clips}}, {{"logits", together}});
  for (std::size_t i = 0; i < 3; ++i) {
    one.run({{"clips", std::span(clips).subspan(i * clips.size() / 3, clips.size() / 3)}}, {{"logits", alone}});
    for (std::size_t c = 0; c < 5; ++c) EXPECT_NEAR(alone[c], together[5 * i + c], 1e-5);
  }
}

TEST(MvitGraph, NamesWhatDoesNotFit) {
  const Plan plan = make_plan(small_recipe());
  Weights weights = closed_form_weights(plan);
  const auto refusal = [&](const ClipSize& size) -> std::string {
    try {
      static_cast<void>(mvit_graph(plan, weights, size));
    } catch (const Exception& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal({.batch = 1, .frames = 0, .height = 32, .width = 32}), testing::HasSubstr("do not fit"));
  weights.put("blocks.1.norm1.weight", {{7}, std::vector<float>(7)});
  EXPECT_THAT(refusal(trained_size(plan, 1)), testing::HasSubstr("blocks.1.norm1.weight has the shape [7]"));
  EXPECT_THAT([&] { static_cast<void>(mvit_graph(plan, Weights(), trained_size(plan, 1))); },
              testing::Throws<Exception>());
}

TEST(RelativeRows, AreResampledWhereTheTableHasAnotherLength) {
  // Made for two places, asked for three: row i of five samples at (i+0.5)*3/5-0.5 = 0 (clamped), 0.4, 1, 1.6, 2.
  const auto rows = relative_rows({{3, 1}, {0.0F, 2.0F, 4.0F}}, 3, 3);
  EXPECT_NEAR(rows[2], 0.0F, 1e-6);  // distance -2
  EXPECT_NEAR(rows[1], 0.8F, 1e-6);
  EXPECT_NEAR(rows[4], 2.0F, 1e-6);
  EXPECT_NEAR(rows[6], 4.0F, 1e-6);
}

TEST(KeyPlaces, HaveAOnePerAxis) {
  const Array places = key_places({2, 2, 3}, true, true);
  EXPECT_THAT(places.shape, testing::ElementsAre(12, 7));
  const auto row = [&](std::size_t i) {
    return std::vector<float>(places.values.begin() + static_cast<std::ptrdiff_t>(7 * i),
                              places.values.begin() + static_cast<std::ptrdiff_t>(7 * i + 7));
  };
  EXPECT_THAT(row(0), testing::ElementsAre(1, 0, 1, 0, 0, 1, 0));
  EXPECT_THAT(row(11), testing::ElementsAre(0, 1, 0, 0, 1, 0, 1));
}

}  // namespace
}  // namespace reeltag::model
