#include "reeltag/retention.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"

namespace reeltag::retention {
namespace {

namespace fs = std::filesystem;
using catalog::Forgettable;
using testing::UnorderedElementsAre;

class Forgetting : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((home() / name).parent_path());
    std::ofstream(home() / name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string text(const std::string& name) const { return *read_file(home() / name, 1 << 20); }
  [[nodiscard]] const fs::path& home() const { return folder_.path(); }
  std::vector<std::string> sweep_now() {
    SweepReport report;
    sweep_runs(home(), catalog_->tombstones.all(), report);
    EXPECT_TRUE(report.failed.empty());
    std::vector<std::string> names;
    for (const auto& path : report.reports) names.push_back(path.lexically_relative(home()).string());
    return names;
  }

  TemporaryFolder folder_;
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::open((folder_.path() / "catalog.db").string());
  const std::string gone_ = hex(sha256("gone")), kept_ = hex(sha256("kept")), author_ = hex(sha256("author"));
};

TEST_F(Forgetting, IdsAreFoundInAnyText) {
  const auto forgotten = [&](const std::string& text) { return names_forgotten(text, catalog_->tombstones.all()); };
  EXPECT_FALSE(forgotten(gone_));
  catalog_->tombstones.forget(Forgettable::video, gone_);
  catalog_->tombstones.forget(Forgettable::author, author_);
  EXPECT_TRUE(forgotten(gone_));
  EXPECT_TRUE(forgotten("alt=\"Middle frame of video " + gone_ + "\""));
  EXPECT_TRUE(forgotten("{\"group\":\"" + author_ + "\"}"));
  EXPECT_FALSE(forgotten(kept_));
  EXPECT_FALSE(forgotten(gone_ + "0"));  // some longer number
  EXPECT_FALSE(forgotten(""));
}

TEST_F(Forgetting, ReportsOfRunsAreDeletedAndFiguresKept) {
  write("runs/a/report.html", "<img alt=\"" + gone_ + "\">");
  write("runs/b/report.html", "<img alt=\"" + kept_ + "\">");
  write("runs/a/scores.jsonl", "{\"video\":\"" + kept_ + "\"}\n{\"video\":\"" + gone_ + "\"}\n{\"video\":\"x\"}");
  write("runs/a/metrics.json",
        R"({"top1":0.5,"failed_videos":[{"video":")" + gone_ + R"("},{"video":")" + kept_ + R"("}]})");
  write("runs/a/checkpoints/1.safetensors", gone_);  // numbers, never text: not looked at
  write("models/m/notes.txt", "made with " + gone_);
  catalog_->tombstones.forget(Forgettable::video, gone_);
  EXPECT_THAT(sweep_now(), UnorderedElementsAre("runs/a/report.html", "runs/a/scores.jsonl", "runs/a/metrics.json",
                                                "models/m/notes.txt"));
  EXPECT_FALSE(fs::exists(home() / "runs/a/report.html"));
  EXPECT_FALSE(fs::exists(home() / "models/m/notes.txt"));
  EXPECT_TRUE(fs::exists(home() / "runs/b/report.html"));
  EXPECT_EQ(text("runs/a/scores.jsonl"), "{\"video\":\"" + kept_ + "\"}\n{\"video\":\"x\"}");
  EXPECT_EQ(text("runs/a/metrics.json"), R"({"top1":0.5,"failed_videos":[{"video":")" + kept_ + "\"}]}\n");
  EXPECT_THAT(sweep_now(), testing::IsEmpty());
}

TEST_F(Forgetting, APageOlderThanWhatWasTakenOutOfItsSetGoes) {
  const auto store = store::open((home() / "store").string());
  std::string id;
  for (int i = 0; i < 40; ++i) {
    catalog::Video v;
    v.id = hex(sha256("v" + std::to_string(i)));
    v.key = "videos/" + v.id + ".mp4";
    v.group = "g" + std::to_string(i);
    v.hashtags = {"cat"};
    store->put(v.key, "x");
    catalog_->videos.add(v);
    id = v.id;
  }
  const auto set = dataset::freeze(*catalog_, *store, {}, home() / "datasets");
  write("runs/r/options.json", R"({"dataset":")" + set.id + "\"}");
  write("runs/r/report.html", "pictures");
  write("runs/other/options.json", R"({"dataset":"ffffffffffffffff"})");
  write("runs/other/report.html", "pictures");
  write("models/m/bundle.json", R"({"name":"m","trained":{"dataset":")" + set.id + "\"}}");
  EXPECT_TRUE(affected_models(home()).empty());
  catalog_->tombstones.forget(Forgettable::video, id);
  dataset::redact(home() / "datasets", catalog_->tombstones.all());
  EXPECT_THAT(sweep_now(), UnorderedElementsAre("runs/r/report.html"));
  const auto affected = affected_models(home());
  ASSERT_EQ(affected.size(), 2U);
  EXPECT_EQ(affected[0].model, "r");
  EXPECT_EQ(affected[1].model, "m");
  EXPECT_EQ(affected[0].dataset, set.id);
  EXPECT_EQ(affected[0].forgotten, 1);
  // A page that is made afterwards stays.
  write("runs/r/report.html", "new pictures");
  fs::last_write_time(home() / "runs/r/report.html", fs::file_time_type::clock::now() + std::chrono::seconds(5));
  EXPECT_THAT(sweep_now(), testing::IsEmpty());
}

}  // namespace
}  // namespace reeltag::retention
