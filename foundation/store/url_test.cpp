#include "url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store_conformance.hpp"

namespace reeltag::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Url, FileUrlsArePercentDecodedAndPlainPathsAreNot) {
  EXPECT_EQ(folder_of_url("file:///a/b%20c%25"), "/a/b c%");
  EXPECT_EQ(folder_of_url("FILE:///a/"), "/a");
  EXPECT_EQ(folder_of_url("file://localhost/a"), "/a");
  EXPECT_EQ(folder_of_url("/a/b%20c"), "/a/b%20c");
  EXPECT_EQ(folder_of_url("/a/./b/../c//d/"), "/a/c/d");
  EXPECT_EQ(folder_of_url("rel/x"), std::filesystem::current_path() / "rel/x");
  EXPECT_EQ(folder_of_url("s3:bucket"), std::filesystem::current_path() / "s3:bucket");
}

TEST(Url, AFolderComesBackFromItsUrl) {
  for (const std::string folder : {"/a", "/with space", "/100%", "/\xE7\x8C\xAB/#?&=+", "/a:b@c"}) {
    EXPECT_EQ(folder_of_url(url_of_folder(folder)), folder);
  }
}

TEST(Url, WhatIsNoFolderIsRefused) {
  for (const std::string bad : {"", "/", "file:///", "file://", "file://host/a", "file:///a?x=1", "file:///a#x",
                                "file:///a%2", "file:///a%zz", "file:///a%00"}) {
    EXPECT_EQ(error_of([&] { folder_of_url(bad); }).code, Code::invalid_argument) << bad;
  }
}

TEST(Url, AnotherSchemeIsUnsupportedAndNamesWhatIsAcceptedButNoSecret) {
  for (const std::string url :
       {"s3://KEY:SECRET@bucket/prefix?token=SECRET", "S3://KEY:SEC/RET@bucket?a@SECRET", "gs://b?SECRET"}) {
    const auto error = error_of([&] { folder_of_url(url); });
    EXPECT_EQ(error.code, Code::unsupported);
    EXPECT_THAT(error.message, AllOf(HasSubstr("is not supported"), HasSubstr("file:///"), HasSubstr("plain path")));
    EXPECT_THAT(error.message, AllOf(Not(HasSubstr("SECRET")))) << url;
  }
  EXPECT_THAT(error_of([] { folder_of_url("s3://bucket/x"); }).message, HasSubstr("s3://bucket/x"));
}

}  // namespace
}  // namespace reeltag::store
