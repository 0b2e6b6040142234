#include "mend_yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/model/recipe.hpp"

namespace reeltag::model {
namespace {

using testing::ElementsAre;

TEST(MendIndentation, MovesAKeyThatStandsAtTheMargin) {
  const auto mended = mend_indentation("A:\n  x: 1\nDROP: 0.3\n  y: [[1, 2]]\nB:\n  z: 3\n");
  EXPECT_EQ(mended.text, "A:\n  x: 1\n  DROP: 0.3\n  y: [[1, 2]]\nB:\n  z: 3\n");
  EXPECT_THAT(mended.lines, ElementsAre(3));
}

TEST(MendIndentation, MovesAKeyThatIsOneSpaceOff) {
  EXPECT_EQ(mend_indentation("A:\n  x: 1\n   y: 2\n  z: 3\n").text, "A:\n  x: 1\n  y: 2\n  z: 3\n");
  EXPECT_EQ(mend_indentation("A:\n  x: 1\n y: 2\n  z: 3\n").text, "A:\n  x: 1\n  y: 2\n  z: 3\n");
  EXPECT_EQ(mend_indentation("A:\n  x: 1\n y: 2\nB: 3\n").text, "A:\n  x: 1\n  y: 2\nB: 3\n");
}

TEST(MendIndentation, MovesAKeyInsideANestedMapping) {
  const auto mended = mend_indentation("A:\n  REV:\n    x: 1\n     y: 2\n    z: 3\n  w: 4\n");
  EXPECT_EQ(mended.text, "A:\n  REV:\n    x: 1\n    y: 2\n    z: 3\n  w: 4\n");
  EXPECT_THAT(mended.lines, ElementsAre(4));
}

TEST(MendIndentation, LeavesWhatIsRightAlone) {
  const char* text =
      "# comment\nA:\n  x: 1\n\n  REV:\n    y : [1, 3]\n    z: \"s\"\n  list:\n    [[1, 2],\n     [3, 4]]\nB: 2\nC:\n  "
      "d: e\n";
  const auto mended = mend_indentation(text);
  EXPECT_EQ(mended.text, text);
  EXPECT_TRUE(mended.lines.empty());
}

TEST(Recipe, AcceptsAKeyAtAWrongIndentationWithAWarning) {
  const Recipe recipe =
      parse_recipe("MVIT:\n  EMBED_DIM: 64\nDROPPATH_RATE: 0.3\n  DEPTH: 24\nRNG_SEED: 4\n", "a.yaml");
  EXPECT_EQ(recipe.mvit.droppath_rate, 0.3);
  EXPECT_EQ(recipe.mvit.depth, 24);
  EXPECT_EQ(recipe.mvit.embed_dim, 64);
  EXPECT_EQ(recipe.rng_seed, 4);
  EXPECT_THAT(recipe.warnings,
              ElementsAre(testing::AllOf(testing::HasSubstr("a.yaml:3"), testing::HasSubstr("indentation"))));
}

TEST(Recipe, StillRefusesWhatIsNoYaml) {
  EXPECT_THROW(parse_recipe("MVIT: [1, 2\n", "a.yaml"), Exception);
  EXPECT_THROW(parse_recipe("MVIT:\n  DEPTH: \"3\n", "a.yaml"), Exception);
}

TEST(Recipe, BuildsAReversibleNetWithoutItsClassToken) {
  const Recipe recipe = parse_recipe("MVIT:\n  CLS_EMBED_ON: True\n  REV:\n    ENABLE: True\n", "a.yaml");
  EXPECT_FALSE(recipe.mvit.cls_embed_on);
  EXPECT_THAT(recipe.warnings, ElementsAre(testing::HasSubstr("CLS_EMBED_ON")));
}

}  // namespace
}  // namespace reeltag::model
