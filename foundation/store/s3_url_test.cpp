#include "s3_url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store_conformance.hpp"

namespace reeltag::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(S3Url, NamesBucketPrefixAndServer) {
  const auto place = parse_s3_url(
      "s3://my-bucket/a%20b/c/"
      "?region=eu-west-1&endpoint_override=127.0.0.1%3A9000&scheme=http&force_virtual_addressing=true");
  EXPECT_EQ(place.bucket, "my-bucket");
  EXPECT_EQ(place.prefix, "a b/c");
  EXPECT_EQ(place.root(), "my-bucket/a b/c");
  EXPECT_EQ(place.region, "eu-west-1");
  EXPECT_EQ(place.endpoint, "127.0.0.1:9000");
  EXPECT_EQ(place.scheme, "http");
  EXPECT_TRUE(place.virtual_hosts);
  EXPECT_EQ(parse_s3_url("s3://my-bucket").root(), "my-bucket");
  EXPECT_EQ(parse_s3_url("s3://my-bucket/").scheme, "https");
}

TEST(S3Url, ComesBackFromItsPlace) {
  for (const std::string url : {"s3://my-bucket", "s3://my-bucket/a%20%25/b?region=eu-west-1",
                                "s3://my-bucket?region=x&endpoint_override=h:1&scheme=http"}) {
    EXPECT_EQ(s3_url_of(parse_s3_url(url)), url);
  }
}

TEST(S3Url, HasAParent) {
  const auto parent = parent_of("s3://my-bucket/a%20b/x.mp4?region=y");
  ASSERT_TRUE(parent.has_value());
  EXPECT_EQ(parent->url, "s3://my-bucket/a%20b?region=y");
  EXPECT_EQ(parent->name, "x.mp4");
  EXPECT_EQ(parent_of("s3://my-bucket/x.mp4")->url, "s3://my-bucket");
  EXPECT_FALSE(parent_of("s3://my-bucket/").has_value());
}

TEST(S3Url, SecretsAreRefusedWithAdviceAndNotRepeated) {
  for (const std::string url : {"s3://KEY:SECRET@my-bucket/p", "s3://KEY@my-bucket?SECRET",
                                "s3://my-bucket?access_key=SECRET", "s3://my-bucket/p?region=x&secret_key=SECRET",
                                "s3://my-bucket?Session_Token=SECRET", "s3://my-bucket/a@SECRET"}) {
    const auto error = error_of([&] { parse_s3_url(url); });
    EXPECT_EQ(error.code, Code::invalid_argument);
    EXPECT_THAT(error.message,
                AllOf(HasSubstr("AWS_SECRET_ACCESS_KEY"), Not(HasSubstr("=SECRET")), Not(HasSubstr("@"))));
    EXPECT_EQ(error_of([&] { open(url); }).code, Code::invalid_argument);
    EXPECT_EQ(error_of([&] { check_url(url); }).message, error.message);
  }
}

TEST(S3Url, WhatIsNoPlaceIsRefused) {
  for (const std::string url :
       {"s3://", "s3://B", "s3://My-Bucket", "s3://a", "s3://my..bucket", "s3://my-bucket/a//b", "s3://my-bucket/../b",
        "s3://my-bucket/%zz", "s3://my-bucket/a#b", "s3://my-bucket?regio=x", "s3://my-bucket?scheme=ftp",
        "s3://my-bucket?endpoint_override=http://h", "s3://my-bucket?force_virtual_addressing=1"}) {
    EXPECT_EQ(error_of([&] { parse_s3_url(url); }).code, Code::invalid_argument) << url;
  }
  EXPECT_EQ(error_of([&] { parse_s3_url("s3://my-bucket/" + std::string(200, 'p')); }).code, Code::invalid_argument);
}

}  // namespace
}  // namespace reeltag::store
