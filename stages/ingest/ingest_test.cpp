#include "reeltag/ingest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"

namespace reeltag::ingest {
namespace {

namespace fs = std::filesystem;

class Ingest : public testing::Test {
 protected:
  fs::path file(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_.path() / name, std::ios::binary) << bytes;
    return folder_.path() / name;
  }
  fs::path clip(const std::string& name) {
    media::Frames frames{.count = 8, .height = 32, .width = 32, .data = {}, .times = {}};
    for (int i = 0; i < frames.count; ++i) frames.times.push_back(0.25 * i);
    frames.data.resize(frames.frame_bytes() * 8);
    for (std::size_t i = 0; i < frames.data.size(); ++i) frames.data[i] = static_cast<std::uint8_t>(i * 7);
    value_or_throw(media::encode_mp4(frames, 4, folder_.path() / name));
    return folder_.path() / name;
  }
  Result<IngestedVideo> ingest(const fs::path& path, Origin origin = Origin::local) {
    return ingest_file(path, origin, *catalog_, *store_, {.isolate = "never"});
  }

  TemporaryFolder folder_;
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::open((folder_.path() / "catalog.db").string());
  std::unique_ptr<store::Store> store_ = store::open((folder_.path() / "store").string());
};

TEST_F(Ingest, StoresTheBytesUnderTheirHashWithTheFactsOfTheFile) {
  const auto path = clip("A.MP4");
  for (const auto origin : {Origin::local, Origin::untrusted}) {
    const auto stored = ingest(path, origin);
    ASSERT_TRUE(stored) << stored.error().message;
    EXPECT_EQ(stored->id, hex(*sha256_file(path)));
    EXPECT_EQ(stored->key, "videos/" + stored->id + ".mp4");
    EXPECT_EQ(store_->stat(stored->key)->size_bytes, static_cast<std::int64_t>(fs::file_size(path)));
    EXPECT_TRUE(stored->fingerprint.has_value());
    const auto row = video_row(*stored);
    EXPECT_EQ(row.id, stored->id);
    EXPECT_EQ(row.width, 32);
    EXPECT_NEAR(row.duration, 2.0, 0.3);
  }
}

TEST_F(Ingest, NamesWhatIsWrongWithAFile) {
  EXPECT_EQ(ingest(folder_.path() / "nothing.mp4").error().code, Code::not_found);
  EXPECT_EQ(ingest(file("empty.mp4", "")).error().code, Code::not_a_video);
  EXPECT_EQ(ingest(file("text.mp4", "no video")).error().code, Code::not_a_video);
  EXPECT_EQ(ingest(folder_.path()).error().code, Code::not_a_video);
  const auto limited = ingest_file(clip("a.mp4"), Origin::local, *catalog_, *store_, {.max_bytes = 10});
  EXPECT_EQ(limited.error().code, Code::too_large);
  EXPECT_TRUE(store_->list("").empty());
}

TEST_F(Ingest, UndoneLeavesNoBytesUnlessTheCatalogHasTheVideo) {
  const auto stored = value_or_throw(ingest(clip("a.mp4")));
  undo_ingest(stored, *catalog_, *store_);
  EXPECT_FALSE(store_->stat(stored.key));
  const auto again = value_or_throw(ingest(folder_.path() / "a.mp4"));
  auto row = video_row(again);
  row.source = "import";
  row.group = "g";
  catalog_->videos.add(row);
  undo_ingest(again, *catalog_, *store_);
  EXPECT_TRUE(store_->stat(again.key));
}

TEST_F(Ingest, StoresNothingOfAForgottenVideo) {
  const auto path = clip("a.mp4");
  catalog_->tombstones.forget(catalog::Forgettable::video, hex(*sha256_file(path)));
  EXPECT_TRUE(value_or_throw(ingest(path)).forgotten);
  EXPECT_TRUE(store_->list("").empty());
}

}  // namespace
}  // namespace reeltag::ingest
