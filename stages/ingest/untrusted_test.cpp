#include "reeltag/untrusted.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"

namespace reeltag::ingest {
namespace {

using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

TEST(FetchUrl, RefusesADeadlineThatHasPassedAndPrivateAddresses) {
  const TemporaryFolder folder;
  const FetchOptions options{.folder = folder.path() / "home", .max_bytes = 1 << 20};
  const auto late = fetch_url(options, "https://example.org/a.mp4", Clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(late.error().code, Code::timeout);
  const auto here = fetch_url(options, "http://127.0.0.1:1/a.mp4");
  EXPECT_EQ(here.error().code, Code::permission_denied) << here.error().message;
}

TEST(ObjectFetcher, RefusesWhatIsNoObjectAndOptionsOfTheRequestsOwn) {
  const TemporaryFolder folder;
  ObjectFetcher objects({.folder = folder.path(), .max_bytes = 1 << 20});
  for (const char* uri : {"s3://", "s3://bucket", "s3:///key", "http://bucket/key", "s3://bucket?endpoint=x/key",
                          "s3://user:secret@bucket/key", "s3://bucket/../key"}) {
    const auto fetched = objects.fetch(uri, Clock::now() + std::chrono::seconds(5));
    ASSERT_FALSE(fetched) << uri;
    EXPECT_EQ(fetched.error().code, Code::invalid_argument) << uri;
    EXPECT_THAT(fetched.error().message, HasSubstr("want s3://bucket/key"));
  }
}

}  // namespace
}  // namespace reeltag::ingest
