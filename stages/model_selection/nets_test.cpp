#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reeltag/base/file.hpp"
#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Meta : public ::testing::Test {
 protected:
  std::optional<PublishedAccuracy> read(const std::string& text) {
    write_file(folder.path() / "x.meta.yml", text);
    return read_published(folder.path() / "x.meta.yml");
  }
  TemporaryFolder folder;
};

TEST_F(Meta, PublishedAccuracyIsReadAsAShare) {
  const auto full = read("source: a paper\nparameters: 1\npublished: {top1: 81.0, top5: 94.6, views: 1x5}\n");
  ASSERT_TRUE(full.has_value());
  EXPECT_DOUBLE_EQ(full->top1, .81);
  EXPECT_DOUBLE_EQ(full->top5, .946);
  EXPECT_EQ(full->views, "1x5");
  const auto top1_only = read("published: {top1: 84.4}\n");
  ASSERT_TRUE(top1_only.has_value());
  EXPECT_TRUE(std::isnan(top1_only->top5));
  EXPECT_EQ(top1_only->views, "");
}

TEST_F(Meta, WithoutAnAccuracyThereIsNone) {
  EXPECT_FALSE(read("source: this project\n").has_value());
  EXPECT_FALSE(read_published(folder.path() / "missing.meta.yml").has_value());
}

TEST_F(Meta, AnAccuracyThatIsNoneIsRefusedWithItsPlace) {
  for (const char* bad : {"published: {top1: high}\n", "published: {top1: 181}\n", "published: {top1: -1}\n"}) {
    try {
      read(bad);
      FAIL() << bad;
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::invalid_config);
      EXPECT_THAT(e.what(), HasSubstr("x.meta.yml:1"));
    }
  }
}

std::vector<std::string> names(const NetList& nets_considered) {
  std::vector<std::string> out;
  for (const auto& net : nets_considered.nets) out.push_back(net.name);
  return out;
}

const Net& find(const NetList& nets_considered, const std::string& name) {
  const auto it = std::find_if(nets_considered.nets.begin(), nets_considered.nets.end(),
                               [&](const Net& n) { return n.name == name; });
  if (it == nets_considered.nets.end()) throw Exception(Code::not_found, name);
  return *it;
}

TEST(NetList, HasEveryClassifierAndNamesTheRest) {
  const NetList nets_considered = list_nets();
  EXPECT_EQ(nets_considered.nets.size() + nets_considered.omitted.size(), model::shipped_recipes().size());
  const Net& small = find(nets_considered, "Kinetics/MVITv2_S_16x4");
  EXPECT_EQ(small.training_set, "kinetics");
  EXPECT_EQ(small.parameters, 34'537'744);
  EXPECT_NEAR(small.multiply_adds, 64.457e9, 1e7);
  EXPECT_DOUBLE_EQ(small.published->top1, .81);
  EXPECT_EQ(find(nets_considered, "masked_ssl/k400_VIT_B_16x4_FT").training_set, "kinetics");
  EXPECT_EQ(find(nets_considered, "masked_ssl/in1k_VIT_B_MaskFeat_FT").training_set, "imagenet");
  EXPECT_EQ(find(nets_considered, "small/starter").training_set, "");
  const auto pretraining = [](const OmittedNet& out) { return out.net == "masked_ssl/k400_VIT_B_16x4_MAE_PT"; };
  EXPECT_TRUE(std::any_of(nets_considered.omitted.begin(), nets_considered.omitted.end(), pretraining));
}

TEST(NetList, IsNarrowedByNameAndByTrainingSet) {
  NetList by_name = list_nets();
  select(by_name, {"MVITv2_XXS_8", "SSv2/MVITv2_S_16x4"}, "");
  EXPECT_THAT(names(by_name), ElementsAre("SSv2/MVITv2_S_16x4", "small/MVITv2_XXS_8"));
  NetList by_set = list_nets();
  select(by_set, {}, "ssv2");
  EXPECT_THAT(names(by_set), ElementsAre("SSv2/MVITv2_B_32x3", "SSv2/MVITv2_L_40x3", "SSv2/MVITv2_S_16x4"));
  NetList own = list_nets();
  own.nets.front().own = {{.run = "r", .dataset = "d", .split = "val", .top1 = .5}};
  const std::string name = own.nets.front().name;
  select(own, {}, "d (val)");
  EXPECT_THAT(names(own), ElementsAre(name));
}

TEST(NetList, AnUnknownOrAmbiguousNameGetsAHint) {
  const auto message = [](const std::vector<std::string>& nets, const std::string& set) -> std::string {
    NetList nets_considered = list_nets();
    try {
      select(nets_considered, nets, set);
    } catch (const Exception& e) {
      return e.code() == Code::invalid_argument ? e.what() : "another code";
    }
    return "";
  };
  EXPECT_THAT(message({"small/MVITv2_XSX_8"}, ""), HasSubstr("did you mean small/MVITv2_XXS_8?"));
  EXPECT_THAT(message({"MVITv2_S_16x4"}, ""), HasSubstr("Kinetics/MVITv2_S_16x4, SSv2/MVITv2_S_16x4"));
  EXPECT_THAT(message({}, "kinetic"), HasSubstr("did you mean kinetics?"));
}

}  // namespace
}  // namespace reeltag::model_selection
