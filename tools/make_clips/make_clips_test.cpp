#include "reeltag/make_clips.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>
#include <sstream>

#include "font.hpp"
#include "motion.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::make_clips {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<nlohmann::json> manifest(const std::filesystem::path& folder) {
  std::ifstream file(folder / "manifest.jsonl");
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

TEST(MakeClips, TheSameOptionsGiveTheSameBytesAndAnotherSeedOthers) {
  const TemporaryFolder folder;
  Options options{.classes = 3, .clips_per_class = 2, .seconds = 0.4, .width = 64, .height = 64};
  write(options, folder.path() / "a");
  write(options, folder.path() / "b");
  options.seed = 2;
  write(options, folder.path() / "c");
  const auto a = manifest(folder.path() / "a"), c = manifest(folder.path() / "c");
  ASSERT_EQ(a.size(), 6U);
  EXPECT_EQ(bytes_of(folder.path() / "a/manifest.jsonl"), bytes_of(folder.path() / "b/manifest.jsonl"));
  for (const auto& row : a) {
    const auto file = row["file"].get<std::string>();
    EXPECT_EQ(bytes_of(folder.path() / "a" / file), bytes_of(folder.path() / "b" / file)) << file;
  }
  EXPECT_NE(a[0]["id"], c[0]["id"]);
  EXPECT_NE(bytes_of(folder.path() / "a" / a[0]["file"]), bytes_of(folder.path() / "c" / c[0]["file"]));
}

TEST(MakeClips, ManifestRowsHaveAllFieldsAndNameFilesThatCanBeProbed) {
  const TemporaryFolder folder;
  const Options options{.classes = 4, .clips_per_class = 2, .seconds = 0.5, .width = 48, .height = 80, .fps = 10};
  EXPECT_EQ(write(options, folder.path()), 8);
  std::set<std::string> ids;
  for (const auto& row : manifest(folder.path())) {
    for (const auto* key : {"id", "file", "group", "caption", "category", "author"}) {
      EXPECT_FALSE(row.at(key).get<std::string>().empty()) << key;
    }
    ids.insert(row["id"]);
    EXPECT_EQ(row["hashtags"], row["truth"]);
    EXPECT_EQ(row["hashtags"][0], row["category"]);
    EXPECT_EQ(row["file"], row["category"].get<std::string>() + "/" + row["id"].get<std::string>() + ".mp4");
    EXPECT_THAT(row["caption"].get<std::string>(), testing::HasSubstr(row["truth"][1].get<std::string>()));
    const auto probe = media::probe(folder.path() / row["file"].get<std::string>(), {});
    ASSERT_TRUE(probe.has_value()) << probe.error().message;
    EXPECT_EQ(probe->width, 48);
    EXPECT_EQ(probe->height, 80);
    EXPECT_NEAR(probe->duration, 0.5, 0.11);
  }
  EXPECT_EQ(ids.size(), 8U);
  EXPECT_THROW(write(options, folder.path()), Exception);  // a manifest is never overwritten
}

TEST(MakeClips, EveryMotionMovesAsItsNameSays) {
  const Appearance appearance;
  const Pose still = pose_at(appearance, Motion::still, 0.2);
  EXPECT_DOUBLE_EQ(still.x, 0.5);
  EXPECT_LT(pose_at(appearance, Motion::left, 0.2).x, still.x);
  EXPECT_GT(pose_at(appearance, Motion::right, 0.2).x, still.x);
  EXPECT_LT(pose_at(appearance, Motion::up, 0.2).y, still.y);
  EXPECT_GT(pose_at(appearance, Motion::down, 0.2).y, still.y);
  EXPECT_GT(pose_at(appearance, Motion::zoom_in, 0.2).radius, still.radius);
  EXPECT_LT(pose_at(appearance, Motion::zoom_out, 0.2).radius, still.radius);
  EXPECT_GT(pose_at(appearance, Motion::clockwise, 0.2).angle, still.angle);
  EXPECT_LT(pose_at(appearance, Motion::counter_clockwise, 0.2).angle, still.angle);
  EXPECT_LT(pose_at(appearance, Motion::bounce, 0.3).y, still.y);
  EXPECT_GT(pose_at(appearance, Motion::bounce, 1.05).y, pose_at(appearance, Motion::bounce, 0.6).y);
}

// How unevenly classes fill the cells of a per-frame statistic: chi square of the classes x cells table.
double chi_square(const std::vector<Clip>& clips, double seconds, const std::function<int(const Pose&)>& cell_of) {
  std::map<std::string, std::map<int, double>> table;
  std::map<std::string, double> rows;
  std::map<int, double> columns;
  for (const auto& clip : clips) {
    const int cell = cell_of(pose_at(clip.appearance, clip.motion, seconds));
    table[clip.class_name][cell] += 1;
    rows[clip.class_name] += 1;
    columns[cell] += 1;
  }
  double sum = 0.0;
  for (const auto& [name, in_class] : rows) {
    for (const auto& [cell, in_cell] : columns) {
      const double want = in_class * in_cell / static_cast<double>(clips.size());
      sum += (table[name][cell] - want) * (table[name][cell] - want) / want;
    }
  }
  return sum;
}

int quarter(double v) { return std::min(3, static_cast<int>(v * 4.0)); }
int position_cell(const Pose& p) { return quarter(p.y) * 4 + quarter(p.x); }
int size_cell(const Pose& p) { return quarter(std::log(p.radius / 0.13) / std::log(0.30 / 0.13)); }
int angle_cell(const Pose& p) {
  const double turns = p.angle / (2 * std::numbers::pi);
  return quarter(turns - std::floor(turns));
}

TEST(MotionSet, PositionSizeAndAngleOfAFrameSayNothingAboutTheClass) {
  const auto clips = plan({.set = Set::motion, .clips_per_class = 300});
  for (const double seconds : {0.0, 0.35, 0.8, 1.3, 1.9}) {
    // 10 classes: 135 and 27 degrees of freedom; the bounds are the 99.99 % points.
    EXPECT_LT(chi_square(clips, seconds, position_cell), 204) << seconds;
    EXPECT_LT(chi_square(clips, seconds, size_cell), 64) << seconds;
    EXPECT_LT(chi_square(clips, seconds, angle_cell), 64) << seconds;
  }
  // The statistic detects classes that are not balanced.
  EXPECT_GT(chi_square(plan({.set = Set::mixed, .clips_per_class = 300}), 0.8, position_cell), 1000);
}

// Share of clips whose class the nearest mean picture finds, trained on the other half of the clips.
double nearest_mean_accuracy(const Options& options,
                             const std::function<std::vector<double>(const media::Frames&)>& view) {
  std::map<std::string, std::pair<std::vector<double>, int>> sums;
  std::vector<std::pair<std::string, std::vector<double>>> held_out;
  const auto clips = plan(options);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    auto picture = view(render(clips[i], options));
    if (i >= clips.size() / 2) {
      held_out.emplace_back(clips[i].class_name, std::move(picture));
      continue;
    }
    auto& [sum, count] = sums[clips[i].class_name];
    sum.resize(picture.size());
    for (std::size_t k = 0; k < picture.size(); ++k) sum[k] += picture[k];
    ++count;
  }
  int right = 0;
  for (const auto& [name, picture] : held_out) {
    double best = -1.0;
    std::string guess;
    for (const auto& [candidate, entry] : sums) {
      double distance = 0.0;
      for (std::size_t k = 0; k < picture.size(); ++k)
        distance += std::pow(picture[k] - entry.first[k] / entry.second, 2);
      if (best < 0 || distance < best) best = distance, guess = candidate;
    }
    right += guess == name ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(held_out.size());
}

std::vector<double> last_frame(const media::Frames& f) {
  const auto frame = f.frame(f.count - 1);
  return {frame.begin(), frame.end()};
}

// Difference of each frame from the first, summed over the picture.
std::vector<double> change_over_time(const media::Frames& f) {
  std::vector<double> change;
  for (int t = 1; t < f.count; ++t) {
    double sum = 0.0;
    for (std::size_t k = 0; k < f.frame_bytes(); ++k) sum += std::abs(f.frame(t)[k] - f.frame(0)[k]);
    change.push_back(sum / static_cast<double>(f.frame_bytes()));
  }
  return change;
}

TEST(MotionSet, OnePictureIsNoBetterThanChanceAndSeveralAre) {
  const Options options{.set = Set::motion, .clips_per_class = 60, .seconds = 1.2, .width = 32, .height = 32, .fps = 5};
  EXPECT_LT(nearest_mean_accuracy(options, last_frame), 0.17);  // chance 0.10, standard error 0.017
  EXPECT_GT(nearest_mean_accuracy(options, change_over_time), 0.20);
}

TEST(MotionSet, ClipsOfAGroupShareTheFirstFrameAndNotTheLast) {
  const Options options{.set = Set::motion, .clips_per_class = 2, .seconds = 0.6, .width = 64, .height = 64};
  const auto clips = plan(options);
  const auto first = render(clips[0], options);
  for (int i = 1; i < kMotions; ++i) {
    const auto other = render(clips[static_cast<std::size_t>(i)], options);
    EXPECT_EQ(clips[static_cast<std::size_t>(i)].group, clips[0].group);
    EXPECT_TRUE(std::ranges::equal(first.frame(0), other.frame(0)));
    EXPECT_FALSE(std::ranges::equal(first.frame(first.count - 1), other.frame(other.count - 1)));
  }
  EXPECT_NE(clips[kMotions].group, clips[0].group);
}

TEST(Noise, RatesAreAsAskedAndWhatIsSeenStays) {
  Options options{.clips_per_class = 200};
  const auto clean = plan(options);
  options.wrong = 0.2;
  options.generic = 0.3;
  const auto noisy = plan(options);
  options.wrong = options.generic = 0.0;
  options.missing = 0.25;
  const auto sparse = plan(options);
  double wrong = 0, generic = 0, kept = 0, all = 0;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    EXPECT_EQ(clean[i].truth, noisy[i].truth);
    EXPECT_EQ(clean[i].caption, noisy[i].caption);
    EXPECT_EQ(clean[i].appearance.seed, noisy[i].appearance.seed);
    wrong += noisy[i].hashtags[0] != clean[i].truth[0] ? 1 : 0;
    generic += noisy[i].hashtags.size() > clean[i].truth.size() ? 1 : 0;
    kept += static_cast<double>(sparse[i].hashtags.size());
    all += static_cast<double>(clean[i].truth.size());
  }
  const auto n = static_cast<double>(clean.size());  // 2400: standard errors below 0.01
  EXPECT_NEAR(wrong / n, 0.2, 0.03);
  EXPECT_NEAR(generic / n, 0.3, 0.04);
  EXPECT_NEAR(kept / all, 0.75, 0.03);
}

TEST(Drift, LabelsSwapInTheSecondHalfAndMixShiftsTheShares) {
  Options options{.classes = 4, .clips_per_class = 100, .drift = Drift::labels};
  const auto steady = plan({.classes = 4, .clips_per_class = 100});
  const auto swapped = plan(options);
  for (std::size_t i = 0; i < steady.size(); ++i) {
    EXPECT_EQ(swapped[i].created, steady[i].created);
    EXPECT_EQ(swapped[i].class_name == steady[i].class_name, i < steady.size() / 2) << i;
    EXPECT_EQ(static_cast<int>(swapped[i].appearance.shape), static_cast<int>(steady[i].appearance.shape));
  }
  options.drift = Drift::mix;
  const auto mixed = plan(options);
  std::map<std::string, int> early, late;
  for (std::size_t i = 0; i < 100; ++i) {
    ++early[mixed[i].class_name];
    ++late[mixed[mixed.size() - 1 - i].class_name];
  }
  EXPECT_GT(early[steady[0].class_name], 2 * late[steady[0].class_name]);
  EXPECT_GT(late[steady[3].class_name], 2 * early[steady[3].class_name]);
}

TEST(MakeClips, ClipsAreSpreadOverTheMonthsInOrder) {
  const auto clips = plan({.clips_per_class = 50, .months = 3});
  std::set<std::int64_t> months;
  std::set<std::string> authors;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    EXPECT_GE(clips[i].created, clips[i == 0 ? 0 : i - 1].created);
    months.insert((clips[i].created - 1704067200) / (30 * 86400));
    authors.insert(clips[i].author);
  }
  EXPECT_EQ(months, (std::set<std::int64_t>{0, 1, 2}));
  EXPECT_GT(authors.size(), 10U);
}

TEST(MakeClips, OptionsThatCannotBeMetAreRefused) {
  for (const Options& bad : {Options{.set = Set::motion, .classes = 11}, Options{.classes = 91}, Options{.width = 63},
                             Options{.wrong = 1.5}, Options{.clips_per_class = 0}, Options{.seconds = 0}}) {
    EXPECT_THROW(plan(bad), Exception);
  }
  EXPECT_EQ(plan({.classes = 90, .clips_per_class = 1}).size(), 90U);
  EXPECT_THROW(parse_set("moving"), Exception);
  EXPECT_THROW(parse_drift("some"), Exception);
}

TEST(Words, AreDrawnAndUnknownCharactersAreBlank) {
  Canvas canvas(64, 64), blank(64, 64);
  paint_words(canvas, "WOW 1", 0.0);
  paint_words(blank, "~~~~~", 0.0);
  int bright = 0, bright_blank = 0;
  for (std::size_t i = 0; i < canvas.bytes().size(); ++i) {
    bright += canvas.bytes()[i] > 200 ? 1 : 0;
    bright_blank += blank.bytes()[i] > 200 ? 1 : 0;
  }
  EXPECT_GT(bright, 100);
  EXPECT_EQ(bright_blank, 0);
}

}  // namespace
}  // namespace reeltag::make_clips
