#include "import/label_cell.hpp"

#include <gmock/gmock.h>

#include <random>

#include "reeltag/hashtag.hpp"

namespace reeltag::collect {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LabelCell, AListInAFieldIsSeveral) {
  const std::string full_comma = "\xEF\xBC\x8C", ideographic_comma = "\xE3\x80\x81", full_hash = "\xEF\xBC\x83";
  for (const std::string& cell :
       {std::string("cat, dog"), std::string("cat,dog"), std::string("#cat #dog"), std::string("#cat,#dog"),
        std::string("[\"cat\",\"dog\"]"), std::string("['cat', 'dog']"), std::string("cat;dog"),
        std::string("cat | dog"), std::string("{cat,dog}"), std::string("cat\ndog"), std::string("\"cat\", \"dog\""),
        std::string("#cat#dog"), "cat" + full_comma + "dog", "cat" + ideographic_comma + "dog",
        full_hash + "cat " + full_hash + "dog"}) {
    EXPECT_THAT(split_labels(cell, Spaces::separate), ElementsAre("cat", "dog")) << cell;
    EXPECT_THAT(split_labels(cell, Spaces::belong).size(), 2U) << cell;
  }
  EXPECT_THAT(split_labels("cat dog", Spaces::separate), ElementsAre("cat", "dog"));
  EXPECT_THAT(split_labels("cat, hot dog", Spaces::separate), ElementsAre("cat", "hot dog"));
}

TEST(LabelCell, ANameKeepsItsSpacesAndSigns) {
  for (const auto* name :
       {"playing guitar", "c++", "c#", "valentine's day", "rock & roll", "tai chi (slow)", "AC/DC"}) {
    EXPECT_THAT(split_labels(name, Spaces::belong), ElementsAre(name));
  }
  EXPECT_THAT(split_labels(" , ;[] \"\" '' ", Spaces::belong), IsEmpty());
  EXPECT_THAT(split_labels("", Spaces::separate), IsEmpty());
}

// Cells made of labels and of everything that may stand between them.
TEST(LabelCell, NoHashtagContainsASeparator) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces{
      "cat", "dog", "playing guitar", ",", ";", "|", "[", "]", "\"", "'", " ", "#", "\t", "\n", "x", "{", "}",
      "c#",  "'s",  "\xEF\xBC\x8C"};
  for (int round = 0; round < 20'000; ++round) {
    std::string cell;
    for (auto n = random() % 12; n > 0; --n) cell += pieces[random() % pieces.size()];
    for (const auto spaces : {Spaces::separate, Spaces::belong}) {
      for (const auto& label : hashtag::normalize_all(split_labels(cell, spaces))) {
        EXPECT_EQ(label.find_first_of(",;|[]{}\"\t\n"), std::string::npos) << cell;
        EXPECT_EQ(label.find("\xEF\xBC\x8C"), std::string::npos) << cell;
        EXPECT_FALSE(label.starts_with('#')) << cell;
      }
    }
  }
}

}  // namespace
}  // namespace reeltag::collect
