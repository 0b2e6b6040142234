#include "reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/registry.hpp"

namespace reeltag::registry {
namespace {

std::string meaning(const std::string& text) {
  const auto r = parse_reference(text);
  if (!r) return "nothing";
  if (!r->word.empty()) return "word " + r->word;
  return r->name + (r->number > 0 ? " number " + std::to_string(r->number) : " alias " + r->alias);
}

TEST(Reference, EveryFormIsRead) {
  EXPECT_EQ(meaning("hashtags@champion"), "hashtags alias champion");
  EXPECT_EQ(meaning("models:/hashtags@champion"), "hashtags alias champion");
  EXPECT_EQ(meaning("My_Net-2/17"), "My_Net-2 number 17");
  EXPECT_EQ(meaning("models:/hashtags/3"), "hashtags number 3");
  EXPECT_EQ(meaning("3"), "hashtags number 3");
  EXPECT_EQ(meaning("champion"), "word champion");
  EXPECT_EQ(meaning("models:/hashtags"), "word hashtags");
}

TEST(Reference, OtherTextsMeanNothing) {
  for (const std::string text : {"",
                                 "@",
                                 "/",
                                 "a@",
                                 "@a",
                                 "a/",
                                 "/3",
                                 "a/b",
                                 "a/0",
                                 "a/03",
                                 "a/-1",
                                 "a/+1",
                                 "a/ 1",
                                 "a/1234567890",
                                 "a/1/2",
                                 "0",
                                 "01",
                                 "../a",
                                 "../../etc/passwd",
                                 "./champion",
                                 "/tmp/bundle",
                                 "a@latest",
                                 "a@v1",
                                 "a@B",
                                 "a@b@c",
                                 "a@b/1",
                                 "a b",
                                 "20261126-1",
                                 "a\n",
                                 "caf\xC3\xA9",
                                 "\xFF\xFE",
                                 "models:"}) {
    EXPECT_EQ(meaning(text), "nothing") << text;
    if (text == "models:") continue;
    EXPECT_THROW(parse_reference("models:/" + text), Exception) << text;
  }
  EXPECT_EQ(meaning(std::string(1'000'000, 'a')), "nothing");
}

TEST(Reference, AStrictOneThatIsWrongIsShownCutShort) {
  try {
    parse_reference("models:/" + std::string(100'000, '/'));
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::invalid_argument);
    EXPECT_LT(std::string(e.what()).size(), 300U);
  }
}

}  // namespace
}  // namespace reeltag::registry
