#include "relative_position.hpp"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "reeltag/model/relative_index.hpp"
#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

TEST(RelativeIndex, OfEqualSizesIsTheShiftedDifference) {
  const Tensor index = torch::tensor(relative_index(4, 4)).view({4, 4});
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) EXPECT_EQ(index[i][j].item<std::int64_t>(), i - j + 3);
  }
}

TEST(RelativeIndex, IsRoundedAsTheReferenceRounds) {
  // Exact arithmetic differs in 103 of the 780 entries for q=78, k=10; the extremes of both are known.
  const Tensor index = torch::tensor(relative_index(78, 10));
  EXPECT_EQ(index.min().item<std::int64_t>(), 0);
  EXPECT_EQ(index.max().item<std::int64_t>(), 147);
}

TEST(RelativeIndex, EqualsTheReferencesTables) {
  const char* shared = std::getenv("REELTAG_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "needs the reference's tables (REELTAG_SHARED)";
  const auto file = read_safetensors(std::filesystem::path(shared) / "goldens" / "recipe.safetensors");
  int compared = 0;
  for (const auto& [name, want] : file.tensors) {
    int q = 0, k = 0;
    if (std::sscanf(name.c_str(), "relidx_q%d_k%d", &q, &k) != 2) continue;
    EXPECT_TRUE(torch::tensor(relative_index(q, k)).equal(want.to(torch::kInt64).flatten())) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 25);
}

TEST(RelativeRows, AreResampledWhereTheTableHasAnotherLength) {
  const Tensor table = torch::tensor({{0.0F}, {2.0F}, {4.0F}});  // made for q=k=2, asked for q=k=3: 5 rows
  const Tensor rows = relative_rows(table, 3, 3);
  // Half-pixel centres: row i samples at (i+0.5)*3/5-0.5 = 0 (clamped), 0.4, 1, 1.6, 2.
  EXPECT_NEAR(rows[0][2][0].item<float>(), 0.0F, 1e-6);  // distance -2 -> row 0
  EXPECT_NEAR(rows[0][1][0].item<float>(), 0.8F, 1e-6);
  EXPECT_NEAR(rows[1][1][0].item<float>(), 2.0F, 1e-6);
  EXPECT_NEAR(rows[2][0][0].item<float>(), 4.0F, 1e-6);
}

// The extended product must equal the plain score matrix plus the three decomposed terms, computed directly.
TEST(ExtendWithPositions, GivesTheBiasedScores) {
  torch::manual_seed(1);
  const Triple gq{2, 3, 4}, gk{2, 2, 2};
  const Tensor q = torch::randn({1, 2, 25, 5}), k = torch::randn({1, 2, 9, 5});
  RelativeTables tables;
  tables.h.values = torch::randn({7, 5});
  tables.w.values = torch::randn({7, 5});
  tables.t.values = torch::randn({3, 5});
  const auto extended = extend_with_positions(q, k, 0.3, tables, gq, gk, true);
  const Tensor got = torch::matmul(extended.q, extended.k.transpose(2, 3));
  Tensor want = 0.3 * torch::matmul(q, k.transpose(2, 3));
  const Tensor rh = tables.h.rows(3, 2), rw = tables.w.rows(4, 2), rt = tables.t.rows(2, 2);
  for (int i = 0; i < 24; ++i) {
    for (int j = 0; j < 8; ++j) {
      const Tensor row = rt[i / 12][j / 4] + rh[i / 4 % 3][j / 2 % 2] + rw[i % 4][j % 2];
      want.select(2, i + 1).select(2, j + 1) += (q.select(2, i + 1) * row).sum(-1);
    }
  }
  EXPECT_LE((got - want).abs().max().item<double>(), 1e-5);
}

TEST(RelativeTable, KeepsRowsUntilTheTableChanges) {
  torch::NoGradGuard no_grad;
  RelativeTable table;
  table.values = torch::randn({7, 3});
  const Tensor first = table.rows(6, 3);
  EXPECT_EQ(first.data_ptr(), table.rows(6, 3).data_ptr());
  EXPECT_TRUE(first.equal(relative_rows(table.values, 6, 3)));
  table.values.mul_(2.0);
  EXPECT_TRUE(table.rows(6, 3).equal(relative_rows(table.values, 6, 3)));
  // Writes like a fused optimizer, without incrementing the tensor's version.
  table.values.data_ptr<float>()[3] += 1.0F;
  EXPECT_TRUE(table.rows(6, 3).equal(relative_rows(table.values, 6, 3)));
  table.values = table.values.to(torch::kDouble);
  EXPECT_EQ(table.rows(6, 3).scalar_type(), torch::kDouble);
}

TEST(RelativeTable, RecordsGradientsWhenTheyAreWanted) {
  RelativeTable table;
  table.values = torch::randn({7, 3}).requires_grad_();
  {
    torch::NoGradGuard no_grad;
    EXPECT_FALSE(table.rows(4, 4).requires_grad());
  }
  EXPECT_TRUE(table.rows(4, 4).requires_grad());
}

}  // namespace
}  // namespace reeltag::model
