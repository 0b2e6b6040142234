#include "reeltag/base/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Limits {
  std::int64_t max_bytes = 4LL << 30;
  double max_duration = 3600.0;
};
template <class V>
void visit(V& v, Limits& c) {
  v("max_bytes", c.max_bytes, "Largest file in bytes");
  v("max_duration", c.max_duration, "Longest video in seconds", Range{0.0, 86400.0});
}

struct Settings {
  int epochs = 100;
  bool flip = true;
  std::string device = "auto";
  std::filesystem::path folder = "runs";
  std::vector<int> crops{224};
  std::vector<double> mean{0.45, 0.45, 0.45};
  std::vector<std::string> sources;
  std::vector<bool> flags;
  std::vector<std::int64_t> sizes;
  std::vector<std::filesystem::path> paths;
  Limits limits;
};
template <class V>
void visit(V& v, Settings& c) {
  v("epochs", c.epochs, "Passes over the training split", Range{1, 10'000});
  v("flip", c.flip, "Mirror half of the clips");
  v("device", c.device, "Where to compute", OneOf{{"auto", "cpu", "cuda"}});
  v("folder", c.folder, "Where runs are kept");
  v("crops", c.crops, "Sides of the crops in pixels", Range{.min = 1});
  v("mean", c.mean, "Mean of each channel");
  v("sources", c.sources, "Where to collect");
  v("flags", c.flags, "Flags");
  v("sizes", c.sizes, "Sizes");
  v("paths", c.paths, "Paths");
  v.section("limits", c.limits);
}

Settings resolved(const std::string& yaml, const std::vector<std::string>& sets = {}) {
  Values values;
  values.add_yaml(yaml, "config.yaml");
  for (const auto& set : sets) values.set(set);
  Settings settings;
  resolve(values, settings);
  return settings;
}

std::string refusal(const std::string& yaml, const std::vector<std::string>& sets = {}) {
  try {
    resolved(yaml, sets);
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), Code::invalid_config);
    return error.what();
  }
  ADD_FAILURE() << "was taken: " << yaml;
  return "";
}

TEST(Config, DefaultsStayWhereNothingIsSaid) {
  const auto s = resolved("");
  EXPECT_EQ(s.epochs, 100);
  EXPECT_EQ(s.limits.max_duration, 3600.0);
  EXPECT_EQ(resolved("limits:\n").limits.max_bytes, 4LL << 30);
}

TEST(Config, ReadsEveryType) {
  const auto s = resolved(R"(
epochs: 30
flip: no
device: cuda
folder: /data/my runs
crops: [224, 160]
mean: [0.5, 1, 1e-3]
sources: [tiktok, "yes", 007]
flags: [true, false]
sizes: [9007199254740993]
paths: [a, b/c]
limits:
  max_bytes: 123456789012
  max_duration: 60
)");
  EXPECT_EQ(s.epochs, 30);
  EXPECT_FALSE(s.flip);
  EXPECT_EQ(s.device, "cuda");
  EXPECT_EQ(s.folder, "/data/my runs");
  EXPECT_THAT(s.crops, ElementsAre(224, 160));
  EXPECT_THAT(s.mean, ElementsAre(0.5, 1.0, 1e-3));
  EXPECT_THAT(s.sources, ElementsAre("tiktok", "yes", "007"));
  EXPECT_THAT(s.flags, ElementsAre(true, false));
  EXPECT_THAT(s.sizes, ElementsAre(9007199254740993));
  EXPECT_THAT(s.paths, ElementsAre("a", "b/c"));
  EXPECT_EQ(s.limits.max_bytes, 123456789012);
  EXPECT_EQ(s.limits.max_duration, 60.0);
}

TEST(Config, UnknownKeyNamesLineAndNearestName) {
  EXPECT_EQ(refusal("flip: true\nepohcs: 30\n"), "config.yaml:2: unknown key 'epohcs'; did you mean 'epochs'?");
  EXPECT_EQ(refusal("limits:\n  max_duraton: 3\n"),
            "config.yaml:2: unknown key 'limits.max_duraton'; did you mean 'limits.max_duration'?");
  EXPECT_THAT(refusal("zzz: 1"), HasSubstr("config.yaml:1: unknown key 'zzz'; `reeltag config show`"));
}

TEST(Config, AKeyInTheWrongSectionIsFound) {
  EXPECT_THAT(refusal("max_duration: 3"), HasSubstr("did you mean 'limits.max_duration'?"));
  EXPECT_THAT(refusal("limits: {epochs: 3}"), HasSubstr("did you mean 'epochs'?"));
}

TEST(Config, APointInAKeyIsNoSection) {
  EXPECT_THAT(refusal("limits.max_duration: 3"), HasSubstr("config.yaml:1: the key 'limits.max_duration' has a point"));
}

TEST(Config, WrongTypesNameKeyLineAndExpectation) {
  EXPECT_EQ(refusal("\nepochs: many"), "config.yaml:2: epochs: expected a whole number, from 1 to 10000, got 'many'");
  EXPECT_THAT(refusal("epochs: 1.5"), HasSubstr("expected a whole number"));
  EXPECT_THAT(refusal("epochs:"), HasSubstr("got nothing"));
  EXPECT_THAT(refusal("epochs: [1]"), HasSubstr("got a list"));
  EXPECT_THAT(refusal("flip: 1"), HasSubstr("flip: expected true or false, got '1'"));
  EXPECT_THAT(refusal("device: {a: 1}"), HasSubstr("device: expected a text"));
  EXPECT_THAT(refusal("crops: 224"), HasSubstr("crops: expected a list like [a, b], each a whole number, got '224'"));
  EXPECT_THAT(refusal("crops:\n  - 224\n  - x\n"), HasSubstr("config.yaml:3: crops: expected a whole number"));
  EXPECT_THAT(refusal("limits: 3"), HasSubstr("limits: expected a section"));
  EXPECT_THAT(refusal("limits: {max_duration: .nan}"), HasSubstr("expected a number"));
  EXPECT_THAT(refusal("- 1\n- 2\n"), HasSubstr("expected keys"));
  EXPECT_THAT(refusal("epochs: 99999999999999999999"), HasSubstr("expected a whole number"));
}

TEST(Config, RangesAndChoicesAreKept) {
  EXPECT_EQ(resolved("epochs: 1").epochs, 1);
  EXPECT_EQ(resolved("epochs: 10000").epochs, 10'000);
  EXPECT_EQ(refusal("epochs: 0"), "config.yaml:1: epochs: expected from 1 to 10000, got '0'");
  EXPECT_THAT(refusal("crops: [224, 0]"), HasSubstr("crops: expected at least 1, got '0'"));
  EXPECT_THAT(refusal("limits: {max_duration: -0.1}"), HasSubstr("expected from 0 to 86400, got '-0.1'"));
  EXPECT_EQ(refusal("device: gpu"), "config.yaml:1: device: expected one of auto, cpu, cuda, got 'gpu'");
}

TEST(Config, ADefaultThatBreaksItsOwnRuleIsFound) {
  Settings settings;
  settings.epochs = 0;
  EXPECT_THROW(resolve(Values(), settings), Exception);
}

TEST(Config, SetWinsOverFilesInAnyOrder) {
  Values values;
  values.set("epochs=5");
  values.add_yaml("epochs: 30\nflip: false\nlimits: {max_duration: 7}", "a.yaml");
  values.add_yaml("epochs: 40\nlimits: {max_bytes: 9}", "b.yaml");
  Settings s;
  resolve(values, s);
  EXPECT_EQ(s.epochs, 5);
  EXPECT_FALSE(s.flip);
  EXPECT_EQ(s.limits.max_duration, 7.0);
  EXPECT_EQ(s.limits.max_bytes, 9);
}

TEST(Config, SetReadsItsValueAsYaml) {
  const auto s = resolved("", {"limits.max_duration=1e1", "sources=[a, 'b, c']", "folder=s3://b/p?endpoint=http://h:1",
                               "crops=[]", "device=cpu", "device=cuda", "limits={max_bytes: 5}"});
  EXPECT_EQ(s.limits.max_duration, 10.0);
  EXPECT_EQ(s.limits.max_bytes, 5);
  EXPECT_THAT(s.sources, ElementsAre("a", "b, c"));
  EXPECT_EQ(s.folder, "s3://b/p?endpoint=http://h:1");
  EXPECT_TRUE(s.crops.empty());
  EXPECT_EQ(s.device, "cuda");
  EXPECT_EQ(resolved("folder: x", {"folder="}).folder, "");
  EXPECT_EQ(resolved("", {"folder=a=b"}).folder, "a=b");
}

TEST(Config, SetSaysWhatIsWrong) {
  EXPECT_EQ(refusal("", {"limits.max_duratoin=3"}),
            "--set: unknown key 'limits.max_duratoin'; did you mean 'limits.max_duration'?");
  EXPECT_EQ(refusal("", {"epochs=x"}), "--set: epochs: expected a whole number, from 1 to 10000, got 'x'");
  for (const auto* bad : {"epochs", "=3", ".a=3", "a.=3", "a..b=3"}) {
    EXPECT_THAT(refusal("", {bad}), HasSubstr("expected key=value")) << bad;
  }
  EXPECT_THAT(refusal("", {"epochs=[1"}), HasSubstr("--set epochs:1: not YAML"));
  EXPECT_THAT(refusal("", {"epochs.x=1"}), HasSubstr("--set: epochs: expected a whole number"));
}

TEST(Config, ShowSaysWhereEachValueCameFrom) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "config.yaml";
  write_file(path, "flip: false\nepochs: 30\n");
  Values values;
  values.add_file(path);
  values.set("limits.max_duration=60");
  Settings s;
  resolve(values, s);
  const auto entries = show(values, s);
  const auto entry = [&](const std::string& key) {
    for (const auto& e : entries) {
      if (e.key == key) return e;
    }
    return Entry{};
  };
  EXPECT_EQ(entries.size(), 12U);
  EXPECT_EQ(entry("epochs").value, "30");
  EXPECT_EQ(entry("epochs").origin, path.string() + ":2");
  EXPECT_EQ(entry("epochs").meaning, "Passes over the training split (from 1 to 10000)");
  EXPECT_EQ(entry("limits.max_duration").value, "60.0");
  EXPECT_EQ(entry("limits.max_duration").origin, "--set");
  EXPECT_EQ(entry("mean").value, "[0.45, 0.45, 0.45]");
  EXPECT_EQ(entry("mean").origin, "default");
}

TEST(Config, AMissingFileIsNamed) {
  try {
    Values().add_file("/no/such/config.yaml");
    FAIL() << "no exception";
  } catch (const Exception& error) {
    EXPECT_EQ(error.code(), Code::not_found);
    EXPECT_THAT(error.what(), HasSubstr("/no/such/config.yaml"));
  }
}

TEST(Config, WrittenYamlIsReadable) {
  const auto yaml = to_yaml(Settings{});
  EXPECT_THAT(yaml, HasSubstr("epochs: 100  # Passes over the training split (from 1 to 10000)\n"));
  EXPECT_THAT(yaml, HasSubstr("limits:\n  max_bytes: 4294967296"));
}

TEST(Config, TextsThatLookLikeOtherThingsAreQuoted) {
  for (const auto* text : {"yes", "No", "null", "12", "1.5", "~", "", "a: b", "#x", "2026-01-01", ".inf", "y"}) {
    Settings s;
    s.sources = {text};
    EXPECT_THAT(to_yaml(s), HasSubstr("sources: [\"")) << text;
  }
}

// Property: written values are read back unchanged, for any text and number.
TEST(Config, WritingAndReadingGivesTheSameValues) {
  std::mt19937_64 random(7);
  const std::vector<std::string> parts{"a", " ", "\n", "\t", "\"", "'",  "\\",   ":",    "#",   "-",   "[",
                                       "]", "{", "}",  ",",  "&",  "*",  "!",    "|",    ">",   "%",   "@",
                                       "`", "0", "é",  "猫", "😀", "\r", "\x01", "\x7f", "yes", "null"};
  const auto text = [&] {
    std::string out;
    for (auto n = random() % 8; n > 0; --n) out += parts[random() % parts.size()];
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    Settings s;
    s.folder = text();
    for (auto n = random() % 4; n > 0; --n) s.sources.push_back(text());
    s.limits.max_bytes = static_cast<std::int64_t>(random());
    s.limits.max_duration = std::uniform_real_distribution<>(0.0, 86400.0)(random);
    s.mean = {std::ldexp(1.0, static_cast<int>(random() % 2000) - 1000), -0.0, std::numeric_limits<double>::infinity()};
    const auto yaml = to_yaml(s);
    const auto back = resolved(yaml);
    ASSERT_EQ(back.folder, s.folder) << yaml;
    ASSERT_EQ(back.sources, s.sources) << yaml;
    ASSERT_EQ(back.limits.max_bytes, s.limits.max_bytes) << yaml;
    ASSERT_EQ(back.limits.max_duration, s.limits.max_duration) << yaml;
    ASSERT_EQ(back.mean, s.mean) << yaml;
  }
}

}  // namespace
}  // namespace reeltag::config
