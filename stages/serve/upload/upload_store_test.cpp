// Tests the store and its files without a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "reeltag/base/file.hpp"
#include "upload_store.hpp"

namespace reeltag::serve {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

class UploadStoreTest : public ::testing::Test {
 protected:
  // Without a demand for free space, which differs from machine to machine.
  UploadStore& open(UploadOptions options) {
    options.min_free_bytes = 0;
    store_ = std::make_unique<UploadStore>(home_.path() / "uploads", options);
    return *store_;
  }
  // Creates an upload of five bytes and appends `bytes`.
  std::shared_ptr<UploadFile> create(const std::string& bytes, const std::string& owner = "me") {
    auto file = store_->create({.owner = owner, .length = 5}, 5).value();
    const auto claim = file->claim(0ms, false);
    EXPECT_TRUE(file->append(claim->writer, bytes));
    EXPECT_TRUE(file->commit(claim->writer));
    return file;
  }

 private:
  TemporaryFolder home_;
  std::unique_ptr<UploadStore> store_;
};

TEST_F(UploadStoreTest, LimitsWhatOneOwnerLeavesUnfinished) {
  auto& store = open({.max_open = 1});
  const auto first = create("012");
  EXPECT_EQ(store.create({.owner = "me", .length = 5}, 5).error().code, Code::permission_denied);
  EXPECT_TRUE(store.create({.owner = "you", .length = 5}, 5));
  store.forget(first);
  EXPECT_TRUE(store.create({.owner = "me", .length = 5}, 5));
}

TEST_F(UploadStoreTest, LeavesRoomOnTheDisk) {
  auto& store = open({});
  EXPECT_TRUE(store.check_room(1));
  EXPECT_EQ(store.check_room(INT64_MAX).error().code, Code::unavailable);
  EXPECT_EQ(store.create({.owner = "me"}, INT64_MAX).error().code, Code::unavailable);
  EXPECT_THAT(store.all(), SizeIs(0));
}

TEST_F(UploadStoreTest, GivesTheReasonWhyBytesAreRefused) {
  auto& store = open({});
  const auto file = store.create({.owner = "me", .length = 5}, 5).value();
  const auto claim = file->claim(0ms, false);
  EXPECT_FALSE(file->claim(0ms, false));
  EXPECT_EQ(file->append(claim->writer, "012345").error().code, Code::too_large);
  EXPECT_EQ(file->append(claim->writer + 1, "0").error().code, Code::already_exists);
  store.forget(file);
  EXPECT_EQ(file->append(claim->writer, "0").error().code, Code::not_found);
  EXPECT_FALSE(file->commit(claim->writer));
}

TEST_F(UploadStoreTest, OneRequestAtATimeCreatesTheJob) {
  open({});
  const auto file = create("01234");
  std::jthread other;
  {
    const auto lock = file->lock_job();
    EXPECT_EQ(file->glance().record.job, "");
    other = std::jthread([&] {
      const auto waited = file->lock_job();
      EXPECT_EQ(file->glance().record.job, "job");
    });
    std::this_thread::sleep_for(20ms);
    file->set_job("job");
  }
}

TEST_F(UploadStoreTest, KeepsTerminatedBytesForTheirJob) {
  auto& store = open({});
  const auto unfinished = create("012"), without_job = create("01234"), with_job = create("01234");
  with_job->set_job("job");
  for (const auto& file : {unfinished, without_job, with_job}) store.cancel(file);
  EXPECT_THAT(store.all(), ::testing::ElementsAre(with_job));
  EXPECT_TRUE(with_job->glance().record.terminated);
  EXPECT_TRUE(std::filesystem::exists(with_job->data()));
}

TEST_F(UploadStoreTest, LeavesItToTheCallerWhetherAJobHasEnded) {
  auto& store = open({.keep_hours = 0});
  const auto unfinished = create("012"), without_job = create("01234"), with_job = create("01234");
  with_job->set_job("job");
  const auto writing = store.create({.owner = "me", .length = 5}, 5).value();
  ASSERT_TRUE(writing->claim(0ms, false));
  const auto expired = store.expire();
  EXPECT_EQ(expired.unfinished, 1);
  EXPECT_THAT(expired.with_job, ::testing::ElementsAre(with_job));
  EXPECT_THAT(store.all(), ::testing::UnorderedElementsAre(without_job, with_job, writing));
}

}  // namespace
}  // namespace reeltag::serve
