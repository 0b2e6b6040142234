#include "store_conformance.hpp"
#include "reeltag/base/file.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <limits>
#include <random>
#include <set>
#include <thread>

namespace reeltag::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::vector<std::string> keys(const std::vector<Blob>& blobs) {
  std::vector<std::string> names;
  for (const auto& blob : blobs) names.push_back(blob.key);
  return names;
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_P(StoreConformance, GetOfAMissingKeyIsEmptyNotAnError) {
  EXPECT_EQ(store_->get("no/such/key"), std::nullopt);
  EXPECT_EQ(store_->stat("no/such/key").has_value(), false);
  EXPECT_FALSE(store_->remove("no/such/key"));
  EXPECT_TRUE(store_->list("").empty());
  EXPECT_TRUE(store_->list("no/such/").empty());
}

TEST_P(StoreConformance, RangeAndLocalPathOfAMissingKeyAreNotFound) {
  const auto range = error_of([&] { store_->get_range("no/such.mp4", 0, 1); });
  EXPECT_EQ(range.code, Code::not_found);
  EXPECT_THAT(range.message, HasSubstr("no/such.mp4"));
  EXPECT_EQ(error_of([&] { store_->local_path("no/such.mp4"); }).code, Code::not_found);
  const auto missing = find_local(*store_, "no/such.mp4");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("no/such.mp4"));
  EXPECT_THROW((void)find_local(*store_, "../key"), Exception);
  store_->put("there.mp4", "bytes");
  EXPECT_EQ(slurp(find_local(*store_, "there.mp4").value()), "bytes");
}

TEST_P(StoreConformance, BytesComeBackUnchanged) {
  // Sizes around the copying piece of 1 MiB; zero bytes inside; the empty blob.
  for (const std::size_t size : {0UL, 1UL, 4096UL, (1UL << 20) - 1, 1UL << 20, (3UL << 20) + 7}) {
    const auto key = "blobs/" + std::to_string(size);
    const auto bytes = random_bytes(size, static_cast<unsigned>(size));
    store_->put(key, bytes);
    EXPECT_TRUE(store_->get(key) == bytes) << size;
    const auto facts = store_->stat(key);
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(facts->key, key);
    EXPECT_EQ(facts->size_bytes, static_cast<std::int64_t>(size));
  }
}

TEST_P(StoreConformance, PutFileEqualsPut) {
  const TemporaryFolder folder;
  for (const std::size_t size : {0UL, 17UL, (2UL << 20) + 3}) {
    const auto bytes = random_bytes(size, 5);
    const auto from = folder.path() / "from file";
    std::ofstream(from, std::ios::binary) << bytes;
    store_->put_file("videos/f.mp4", from);
    EXPECT_TRUE(store_->get("videos/f.mp4") == bytes) << size;
  }
}

TEST_P(StoreConformance, PutFileOfNoFileNamesItAndLeavesNothing) {
  const TemporaryFolder folder;
  const auto missing = error_of([&] { store_->put_file("videos/x", folder.path() / "gone.mp4"); });
  EXPECT_EQ(missing.code, Code::not_found);
  EXPECT_THAT(missing.message, HasSubstr("gone.mp4"));
  EXPECT_EQ(error_of([&] { store_->put_file("videos/x", folder.path()); }).code, Code::invalid_argument);
  EXPECT_TRUE(store_->list("").empty());
}

TEST_P(StoreConformance, RangesAreCutAtTheEnd) {
  store_->put("r", "0123456789");
  constexpr auto kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(store_->get_range("r", 0, 10), "0123456789");
  EXPECT_EQ(store_->get_range("r", 3, 4), "3456");
  EXPECT_EQ(store_->get_range("r", 8, 100), "89");
  EXPECT_EQ(store_->get_range("r", 1, kHuge), "123456789");
  EXPECT_EQ(store_->get_range("r", 10, 1), "");
  EXPECT_EQ(store_->get_range("r", kHuge, kHuge), "");
  EXPECT_EQ(store_->get_range("r", 5, 0), "");
  EXPECT_EQ(error_of([&] { store_->get_range("r", -1, 1); }).code, Code::invalid_argument);
  EXPECT_EQ(error_of([&] { store_->get_range("r", 0, -1); }).code, Code::invalid_argument);
}

TEST_P(StoreConformance, ABlobOfManyPartsComesBackUnchanged) {
  const TemporaryFolder folder;
  const auto bytes = random_bytes((23UL << 20) + 11, 3);  // an object store uploads it in three parts
  const auto from = folder.path() / "large";
  std::ofstream(from, std::ios::binary) << bytes;
  store_->put_file("videos/large.mp4", from);
  store_->put("large", bytes);
  for (const std::string key : {"videos/large.mp4", "large"}) {
    EXPECT_TRUE(store_->get(key) == bytes);
    EXPECT_EQ(store_->stat(key)->size_bytes, static_cast<std::int64_t>(bytes.size()));
    EXPECT_TRUE(store_->get_range(key, (10 << 20) - 5, 10) == bytes.substr((10 << 20) - 5, 10));
    EXPECT_TRUE(store_->get_range(key, static_cast<std::int64_t>(bytes.size()) - 3, 10) ==
                bytes.substr(bytes.size() - 3));
    EXPECT_TRUE(slurp(store_->local_path(key)) == bytes);
  }
  EXPECT_TRUE(store_->unfinished().empty());
}

TEST_P(StoreConformance, TellsWhenABlobWasWritten) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  store_->put("k", "x");
  if (GetParam().has_clock) {
    EXPECT_NEAR(static_cast<double>(store_->stat("k")->modified), static_cast<double>(now), 60.0);
  }
  EXPECT_EQ(store_->list("").at(0).modified, store_->stat("k")->modified);
}

TEST_P(StoreConformance, OverwriteReplacesTheWhole) {
  store_->put("k", "the same bytes");
  store_->put("k", "the same bytes");
  EXPECT_EQ(store_->get("k"), "the same bytes");
  store_->put("k", "shorter");
  EXPECT_EQ(store_->get("k"), "shorter");
  EXPECT_THAT(keys(store_->list("")), ElementsAre("k"));
}

TEST_P(StoreConformance, RemoveSaysWhetherThereWasABlob) {
  store_->put("a/b", "x");
  EXPECT_FALSE(store_->remove("a"));
  EXPECT_TRUE(store_->remove("a/b"));
  EXPECT_FALSE(store_->remove("a/b"));
  EXPECT_EQ(store_->get("a/b"), std::nullopt);
  EXPECT_TRUE(store_->list("").empty());
  // The former folder's name is available again.
  store_->put("a", "now a blob");
  EXPECT_EQ(store_->get("a"), "now a blob");
}

TEST_P(StoreConformance, AFolderOfKeysIsNoBlob) {
  store_->put("a/b/c", "x");
  EXPECT_EQ(store_->get("a/b"), std::nullopt);
  EXPECT_FALSE(store_->stat("a").has_value());
  EXPECT_EQ(error_of([&] { store_->get_range("a", 0, 1); }).code, Code::not_found);
  EXPECT_EQ(error_of([&] { store_->local_path("a"); }).code, Code::not_found);
  EXPECT_EQ(store_->get("a/b/c/d"), std::nullopt);
  EXPECT_FALSE(store_->stat("a/b/c/d").has_value());
  EXPECT_FALSE(store_->remove("a/b/c/d"));
  EXPECT_TRUE(store_->list("a/b/c/").empty());
}

TEST_P(StoreConformance, ListHasThePrefixAndIsSortedByBytes) {
  for (const auto* key : {"b/2", "b/10", "a", "b-x", "b/1/deep", "ba", "\xC3\xA9", "B"}) store_->put(key, "12");
  EXPECT_THAT(keys(store_->list("")), ElementsAre("B", "a", "b-x", "b/1/deep", "b/10", "b/2", "ba", "\xC3\xA9"));
  EXPECT_THAT(keys(store_->list("b")), ElementsAre("b-x", "b/1/deep", "b/10", "b/2", "ba"));
  EXPECT_THAT(keys(store_->list("b/")), ElementsAre("b/1/deep", "b/10", "b/2"));
  EXPECT_THAT(keys(store_->list("b/1")), ElementsAre("b/1/deep", "b/10"));
  EXPECT_THAT(keys(store_->list("b/1/")), ElementsAre("b/1/deep"));
  EXPECT_TRUE(store_->list("b/3").empty());
  EXPECT_EQ(store_->list("ba").at(0).size_bytes, 2);
}

TEST_P(StoreConformance, ListGoesPastAThousandKeys) {
  std::set<std::string> expected;
  for (int i = 0; i < 1101; ++i) {
    const auto key = "many/" + std::to_string(i);
    store_->put(key, "");
    expected.insert(key);
  }
  EXPECT_EQ(keys(store_->list("many/")), std::vector<std::string>(expected.begin(), expected.end()));
}

TEST_P(StoreConformance, OddKeysWork) {
  const std::vector<std::string> odd = {
      "with space/and  two.mp4",
      "plus+sign",
      "per%cent%20",
      "question?mark&x=1",
      "hash#tag",
      "quote'\"",
      "back\\slash",
      "semi;colon:at@",
      "*star[a]{b}",
      "~tilde",
      ".hidden",
      "...",
      "a..b",
      "-dash",
      "\xE7\x8C\xAB/\xF0\x9F\x90\x88.mp4",
      "e\xCC\x81",
      "\xC3\xA9",
      "trailing ",
      "x.tmp",
      std::string(255, 'n'),
      std::string(255, 'a') + "/" + std::string(255, 'b') + "/" + std::string(255, 'c') + "/" + std::string(132, 'd')};
  for (const auto& key : odd) store_->put(key, "bytes of " + key);
  for (const auto& key : odd) {
    EXPECT_EQ(store_->get(key), "bytes of " + key);
    EXPECT_EQ(keys(store_->list(key)), std::vector<std::string>{key});
    EXPECT_EQ(slurp(store_->local_path(key)), "bytes of " + key);
  }
  EXPECT_EQ(store_->list("").size(), odd.size());
  for (const auto& key : odd) EXPECT_TRUE(store_->remove(key)) << key;
  EXPECT_TRUE(store_->list("").empty());
}

TEST_P(StoreConformance, EveryCallRefusesABadKey) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "f") << "x";
  for (const std::string bad : {"", "/etc/passwd", "a/../../b", "..", "a//b", "a/", "./a", "new\nline"}) {
    const std::vector<std::function<void()>> calls = {
        [&] { store_->put(bad, "x"); },  [&] { store_->put_file(bad, folder.path() / "f"); },
        [&] { store_->get(bad); },       [&] { store_->get_range(bad, 0, 1); },
        [&] { store_->stat(bad); },      [&] { store_->remove(bad); },
        [&] { store_->local_path(bad); }};
    for (const auto& call : calls) EXPECT_EQ(error_of(call).code, Code::invalid_argument) << bad;
  }
  for (const std::string bad : {"/", "../", "a//", "a/../b", "a\tb"}) {
    EXPECT_EQ(error_of([&] { store_->list(bad); }).code, Code::invalid_argument) << bad;
  }
}

TEST_P(StoreConformance, LocalPathHasTheBytes) {
  const auto bytes = random_bytes(100'000, 9);
  store_->put("videos/v.mp4", bytes);
  const auto path = store_->local_path("videos/v.mp4");
  EXPECT_TRUE(path.is_absolute());
  EXPECT_TRUE(slurp(path) == bytes);
}

TEST_P(StoreConformance, LocalPathOfAReplacedBlobHasTheNewBytes) {
  store_->put("k", "old bytes");
  EXPECT_EQ(slurp(store_->local_path("k")), "old bytes");
  place_->open()->put("k", "new bytes");  // same length, written by another store object within a second
  EXPECT_EQ(slurp(store_->local_path("k")), "new bytes");
  store_->remove("k");
  EXPECT_EQ(error_of([&] { store_->local_path("k"); }).code, Code::not_found);
}

TEST_P(StoreConformance, WhatNobodyBeganCannotBeDiscarded) {
  EXPECT_TRUE(store_->unfinished().empty());
  EXPECT_FALSE(store_->discard({.name = "k", .upload = "none", .begun = 0}));
  EXPECT_EQ(store_->drop_copies(std::chrono::seconds(0), false).files, 0);
}

TEST_P(StoreConformance, ASecondStoreSeesWhatTheFirstWrote) {
  const auto other = place_->open();
  store_->put("shared", "1");
  EXPECT_EQ(other->get("shared"), "1");
  EXPECT_EQ(other->url(), store_->url());
  store_.reset();
  EXPECT_EQ(place_->open()->get("shared"), "1");
}

TEST_P(StoreConformance, ConcurrentPutsOfOneKeyLeaveOneWholeBlob) {
  constexpr int kWriters = 4, kRounds = 15;
  constexpr std::size_t kSize = 300'000;
  std::atomic<bool> done{false};
  std::atomic<int> torn{0}, seen{0};
  store_->put("hot/key", std::string(kSize, 'a'));
  std::thread reader([&] {
    while (!done) {
      const auto bytes = store_->get("hot/key");
      const bool whole =
          bytes && bytes->size() == kSize && bytes->find_first_not_of(bytes->front()) == std::string::npos;
      if (!whole) ++torn;
      for (const auto& blob : store_->list("")) {
        const bool hot = blob.key == "hot/key" && blob.size_bytes == static_cast<std::int64_t>(kSize);
        if (!hot && !blob.key.starts_with("own/")) ++torn;
      }
      ++seen;
    }
  });
  while (seen == 0) std::this_thread::yield();  // on a busy machine the writers could otherwise finish before it begins
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kRounds; ++i) {
        store_->put("hot/key", std::string(kSize, static_cast<char>('a' + w)));
        store_->put("own/" + std::to_string(w) + "/" + std::to_string(i), "x");
      }
    });
  }
  for (auto& writer : writers) writer.join();
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(store_->list("own/").size(), static_cast<std::size_t>(kWriters * kRounds));
  EXPECT_THAT(keys(store_->list("hot")), ElementsAre("hot/key"));
}

}  // namespace
}  // namespace reeltag::store
