#include "pooling.hpp"

#include <gtest/gtest.h>

namespace reeltag::model {
namespace {

using torch::Tensor;

struct Case {
  const char* name;
  Triple grid;
  Pooling pooling;
  int channels, heads;
  bool class_token;
};
const Case kCases[] = {
    {"stride1", {3, 5, 4}, {{3, 3, 3}, {1, 1, 1}}, 32, 1, false},
    {"class token, stride 2", {2, 7, 6}, {{3, 3, 3}, {1, 2, 2}}, 24, 2, true},
    {"keys of a first block", {4, 16, 16}, {{3, 3, 3}, {1, 4, 4}}, 40, 1, false},
    {"odd channels", {2, 4, 5}, {{1, 3, 3}, {1, 2, 2}}, 13, 3, true},
    {"stride above kernel", {1, 9, 9}, {{3, 3, 3}, {1, 8, 8}}, 8, 1, true},
    {"one token", {1, 1, 1}, {{3, 3, 3}, {1, 1, 1}}, 16, 1, false},
    {"wide kernel", {4, 9, 9}, {{3, 9, 9}, {1, 8, 8}}, 96, 1, true},
};

class DepthwisePool : public testing::TestWithParam<Case> {};

// Tokens as attention passes them: a slice of the fused q, k, v.
Tensor tokens_of(const Case& c) {
  torch::manual_seed(7);
  const std::int64_t n = static_cast<std::int64_t>(c.grid[0]) * c.grid[1] * c.grid[2] + (c.class_token ? 1 : 0);
  return torch::randn({2, n, 3, c.heads, c.channels}).requires_grad_();
}

TEST_P(DepthwisePool, EqualsTheReferenceForwardAndBackward) {
  const Case& c = GetParam();
  const Tensor fused = tokens_of(c);
  const Tensor weight =
      torch::randn({c.channels, 1, c.pooling.kernel[0], c.pooling.kernel[1], c.pooling.kernel[2]}).requires_grad_();
  const auto run = [&](auto pool) {
    const Tensor out = pool(fused.select(2, 1), "conv", weight, c.pooling, c.grid, c.class_token);
    torch::manual_seed(9);
    const auto grads = torch::autograd::grad({(out * torch::randn_like(out)).sum()}, {fused, weight});
    return std::vector<Tensor>{out.detach(), grads[0], grads[1]};
  };
  const auto fast = run(pool_tokens), slow = run(pool_tokens_reference);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(fast[i].sizes(), slow[i].sizes());
    const double scale = slow[i].abs().max().item<double>();
    EXPECT_LE((fast[i] - slow[i]).abs().max().item<double>(), 2e-6 * std::max(1.0, scale)) << "output " << i;
  }
  EXPECT_TRUE(fast[0].is_contiguous());
}
INSTANTIATE_TEST_SUITE_P(Shapes, DepthwisePool, testing::ValuesIn(kCases), [](const auto& test) {
  std::string name = test.param.name;
  for (char& ch : name) ch = std::isalnum(static_cast<unsigned char>(ch)) != 0 ? ch : '_';
  return name;
});

TEST(PoolTokens, RefusesTokensThatDoNotFillTheGrid) {
  EXPECT_THROW(pool_tokens(torch::randn({1, 7, 1, 8}), "conv", torch::randn({8, 1, 3, 3, 3}), {{3, 3, 3}, {1, 1, 1}},
                           {2, 2, 2}, false),
               c10::Error);
}

TEST(PoolSkip, TakesMaximaAndPassesTheClassToken) {
  const Tensor x = torch::arange(17, torch::kFloat).view({1, 17, 1});  // class token 0, then a 1x4x4 grid of 1..16
  const Tensor out = pool_skip(x, {{1, 3, 3}, {1, 2, 2}}, {1, 4, 4}, true);
  EXPECT_EQ(out.flatten().to(torch::kInt).equal(torch::tensor({0, 6, 8, 14, 16}, torch::kInt)), true);
}

}  // namespace
}  // namespace reeltag::model
