#include "page.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace reeltag::serve {
namespace {

const Asset* find(std::string_view path) {
  const auto assets = page_assets();
  const auto found = std::ranges::find(assets, path, &Asset::path);
  return found == assets.end() ? nullptr : &*found;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

TEST(Page, HoldsEveryFileOfTheFolderByteForByte) {
  const std::filesystem::path folder = REELTAG_PAGE_FOLDER;
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
    if (entry.is_regular_file()) files.insert(entry.path().lexically_relative(folder).string());
  }
  std::set<std::string> paths;
  for (const auto& asset : page_assets()) {
    paths.emplace(asset.path);
    EXPECT_EQ(asset.bytes, read(folder / asset.path)) << asset.path;
  }
  EXPECT_EQ(paths, files);
}

TEST(Page, IndexIsNeverKeptForEverAndHasNoScriptOfItsOwn) {
  const auto* index = find("index.html");
  ASSERT_NE(index, nullptr);
  EXPECT_FALSE(index->immutable);
  EXPECT_EQ(index->content_type, "text/html; charset=utf-8");
  EXPECT_THAT(index->bytes, testing::HasSubstr("<!doctype html>"));
  EXPECT_THAT(index->bytes, testing::Not(testing::HasSubstr("<style")));
  EXPECT_THAT(index->bytes, testing::Not(testing::HasSubstr("style=")));
  EXPECT_THAT(index->bytes, testing::Not(testing::ContainsRegex("<script[^>]*>[^<]")));
}

TEST(Page, IsSortedAndEachFileHasATypeAndATagOfItsOwn) {
  const auto assets = page_assets();
  EXPECT_TRUE(std::ranges::is_sorted(assets, std::less{}, &Asset::path));
  std::set<std::string_view> tags;
  for (const auto& asset : assets) {
    EXPECT_THAT(std::string{asset.etag}, testing::MatchesRegex("\"[0-9a-f]+\"")) << asset.path;
    EXPECT_FALSE(asset.content_type.empty()) << asset.path;
    EXPECT_EQ(asset.immutable, asset.path.starts_with("assets/")) << asset.path;
    tags.insert(asset.etag);
  }
  EXPECT_EQ(tags.size(), assets.size());
}

}  // namespace
}  // namespace reeltag::serve
