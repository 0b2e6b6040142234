#include "reeltag/base/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::yaml {
namespace {

std::string message_of(const std::string& text) {
  try {
    parse(text, "c.yaml");
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), Code::invalid_config);
    return error.what();
  }
  return "";
}

TEST(Yaml, KeepsKindsOrderAndLines) {
  const Node root = parse("b: 1\na:\n  c: [x, 'y z']\n  d: ~\n", "c.yaml");
  ASSERT_EQ(root.kind, Kind::map);
  EXPECT_EQ(root.entries[0].first, "b");
  EXPECT_EQ(root.find("b")->text, "1");
  const Node* a = root.find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->place(), "c.yaml:2");
  EXPECT_EQ(a->find("c")->place(), "c.yaml:3");
  EXPECT_EQ(a->find("c")->items[1].text, "y z");
  EXPECT_EQ(a->find("d")->kind, Kind::null);
  EXPECT_EQ(a->find("e"), nullptr);
}

TEST(Yaml, AQuotedNullIsAText) {
  EXPECT_EQ(parse("a: 'null'", "x").find("a")->kind, Kind::scalar);
  EXPECT_EQ(parse("a: null", "x").find("a")->kind, Kind::null);
}

TEST(Yaml, EmptyTextIsNull) {
  EXPECT_EQ(parse("", "x").kind, Kind::null);
  EXPECT_EQ(parse("# only a comment\n", "x").kind, Kind::null);
}

TEST(Yaml, SaysWhereItIsBroken) {
  EXPECT_EQ(message_of("a: 1\nb: [1, 2\n").find("c.yaml:"), 0U);
  EXPECT_EQ(message_of("a: 1\nb: 2\na: 3\n"), "c.yaml:3: the key 'a' stands here a second time");
  EXPECT_NE(message_of("a: 1\n---\nb: 2\n").find("more than one"), std::string::npos);
  EXPECT_NE(message_of("? [1, 2]\n: 3\n").find("plain name"), std::string::npos);
}

TEST(Yaml, ASmallTextThatUnfoldsToBillionsIsRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const auto last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 9; ++k) text += ", " + last;
    text += "]\n";
  }
  EXPECT_NE(message_of(text).find("more than 100000 values"), std::string::npos);
}

TEST(Yaml, DeepNestingIsRefused) {
  EXPECT_NE(message_of(std::string(70, '[') + std::string(70, ']')).find("64 levels"), std::string::npos);
  EXPECT_NE(message_of(std::string(100'000, '[')), "");
}

TEST(Yaml, LoadsAFileAndNamesIt) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "r.yaml";
  write_file(path, "a: 1");
  EXPECT_EQ(load(path).find("a")->place(), path.string() + ":1");
  EXPECT_THROW(load(folder.path() / "missing.yaml"), Exception);
}

TEST(Yaml, MergeGoesKeyByKey) {
  Node under = parse("a: {b: 1, c: 2}\nl: [1, 2]\n", "one");
  merge(under, parse("a: {c: 3, d: 4}\nl: [9]\n", "two"));
  EXPECT_EQ(under.find("a")->find("b")->text, "1");
  EXPECT_EQ(under.find("a")->find("c")->text, "3");
  EXPECT_EQ(under.find("a")->find("c")->origin, "two");
  EXPECT_EQ(under.find("a")->find("d")->text, "4");
  EXPECT_EQ(under.find("l")->items.size(), 1U);
  merge(under, parse("a:\n", "three"));
  EXPECT_EQ(under.find("a")->entries.size(), 3U);
}

TEST(YamlRead, Integers) {
  int i = 7;
  EXPECT_TRUE(read("-12", i));
  EXPECT_EQ(i, -12);
  EXPECT_TRUE(read("+5", i));
  EXPECT_EQ(i, 5);
  for (const auto* bad : {"", "+", "+-5", "1.0", "1e3", "0x10", "12a", " 1", "2147483648", "true"}) {
    EXPECT_FALSE(read(bad, i)) << bad;
  }
  EXPECT_EQ(i, 5) << "a failed reading must not change the value";
  std::int64_t l = 0;
  EXPECT_TRUE(read("9223372036854775807", l));
  EXPECT_FALSE(read("9223372036854775808", l));
}

TEST(YamlRead, Doubles) {
  double d = 0.0;
  EXPECT_TRUE(read("1.6e-3", d));
  EXPECT_EQ(d, 1.6e-3);
  EXPECT_TRUE(read("5", d));
  EXPECT_EQ(d, 5.0);
  EXPECT_TRUE(read("-.inf", d));
  EXPECT_TRUE(std::isinf(d));
  for (const auto* bad : {"", "nan", ".nan", "inf", "1,5", "1.5x", "1e999"}) EXPECT_FALSE(read(bad, d)) << bad;
}

TEST(YamlRead, Booleans) {
  bool b = false;
  EXPECT_TRUE(read("yes", b));
  EXPECT_TRUE(b);
  EXPECT_TRUE(read("False", b));
  EXPECT_FALSE(b);
  for (const auto* bad : {"", "1", "0", "tRue", "maybe"}) EXPECT_FALSE(read(bad, b)) << bad;
}

TEST(Yaml, RefusesCharactersThatItMayNotHold) {
  const auto refusal = [](std::string_view text) -> std::string {
    try {
      parse(text, "a.yaml");
    } catch (const Exception& e) {
      return e.what();
    }
    return "accepted";
  };
  using namespace std::string_view_literals;
  EXPECT_THAT(refusal("a: 1\nb: \0\n"sv), testing::HasSubstr("a.yaml:2"));
  EXPECT_THAT(refusal("a: \x05"sv), testing::HasSubstr("control character"));
  EXPECT_THAT(refusal("a: \xff\xfe"sv), testing::HasSubstr("UTF-8"));
  EXPECT_EQ(refusal("a: gr\xc3\xbc\xc3\x9f\tb\r\n"sv), "accepted");
}

// yaml-cpp's LoadAll never returned for this text.
TEST(Yaml, EndsOnTextThatIsAlmostADocument) {
  EXPECT_THROW(parse(", x:\n  (1,  MViT*", "a.yaml"), Exception);
  EXPECT_THROW(parse("a: 1\n---\nb: 2\n", "a.yaml"), Exception);
}

}  // namespace
}  // namespace reeltag::yaml
