#include "auth/local_token.hpp"

#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"

namespace reeltag::serve {
namespace {

namespace fs = std::filesystem;

class LocalToken : public testing::Test {
 protected:
  TemporaryFolder home_;
  fs::path file_ = home_.path() / kLocalTokenFile;
};

TEST_F(LocalToken, IsMadeOnceAndOnlyItsOwnerReadsIt) {
  const auto token = local_token(home_.path());
  EXPECT_GT(token.size(), 64U);
  EXPECT_EQ(*read_file(file_, 1024), token + "\n");
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(local_token(home_.path()), token);
}

TEST_F(LocalToken, IsRenewedOnceOthersCouldReadIt) {
  for (const auto other : {fs::perms::group_read, fs::perms::others_read, fs::perms::others_write}) {
    const auto token = local_token(home_.path());
    fs::permissions(file_, other, fs::perm_options::add);
    EXPECT_NE(local_token(home_.path()), token);
    EXPECT_EQ(fs::status(file_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  }
}

TEST_F(LocalToken, AFileThatIsNoTokenIsReplaced) {
  const auto first = local_token(home_.path());
  for (const std::string text : {"", "x", "reeltag_local_", "reeltag_local_zz"}) {
    write_file(file_, text);
    EXPECT_GT(local_token(home_.path()).size(), 64U) << text;
  }
  // A link would have the token written to a place that someone else chose.
  const auto elsewhere = home_.path() / "elsewhere";
  write_file(elsewhere, first);
  fs::remove(file_);
  fs::create_symlink(elsewhere, file_);
  EXPECT_NE(local_token(home_.path()), first);
  EXPECT_FALSE(fs::is_symlink(file_));
  EXPECT_EQ(*read_file(elsewhere, 1024), first);
}

}  // namespace
}  // namespace reeltag::serve
