#include "reeltag/base/hash.hpp"

#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"

namespace reeltag {
namespace {

// Source: FIPS 180-4 example vectors, and the digests of the empty text.
constexpr auto kAbc256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr auto kMillionA256 = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Hash, Sha256KnownVectors) {
  EXPECT_EQ(hex(sha256("abc")), kAbc256);
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))), kMillionA256);
}

TEST(Hash, Sha256InPiecesIsTheSameAndStartsAnew) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(std::string(1000, 'a'));
  EXPECT_EQ(hex(hash.finish()), kMillionA256);
  hash.update("a");
  hash.update("");
  hash.update("bc");
  Sha256 moved = std::move(hash);
  EXPECT_EQ(hex(moved.finish()), kAbc256);
}

TEST(Hash, Sha256OfAFile) {
  const TemporaryFolder folder;
  write_file(folder.path() / "a", std::string(1'000'000, 'a'));
  EXPECT_EQ(hex(sha256_file(folder.path() / "a").value()), kMillionA256);
  const auto missing = sha256_file(folder.path() / "missing.mp4");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::not_found);
  EXPECT_NE(missing.error().message.find("missing.mp4"), std::string::npos);
  EXPECT_FALSE(sha256_file(folder.path()));
}

TEST(Hash, Sha1KnownVectors) {
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(Hash, Sha1InPiecesIsTheSameAndStartsAnew) {
  Sha1 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  EXPECT_EQ(hash.finish(), sha1("abc"));
  hash.update("anything");
  Sha1 moved = std::move(hash);
  EXPECT_EQ(moved.finish(), sha1("anything"));
}

// Source: Python, int(hashlib.sha1(text).hexdigest(), 16) % modulus.
TEST(Hash, Sha1ModAgreesWithPython) {
  EXPECT_EQ(sha1_mod("abc", 100), 17U);
  EXPECT_EQ(sha1_mod("", 100), 5U);
  EXPECT_EQ(sha1_mod("v_Basketball_g01", 10), 5U);
  EXPECT_EQ(sha1_mod("abc", 4294967295U), 3221192732U);
  EXPECT_EQ(sha1_mod("\xC3\xA9", 1000003), 172774U);
  EXPECT_EQ(sha1_mod("anything", 1), 0U);
  EXPECT_THROW(sha1_mod("abc", 0), Exception);
}

// Source: the FNV reference test suite (isthe.com/chongo/src/fnv/test_fnv.c).
TEST(Hash, Fnv1a64KnownVectors) {
  static_assert(fnv1a64("") == 0xcbf29ce484222325ULL);
  EXPECT_EQ(fnv1a64("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(fnv1a64("foobar"), 0x85944171f73967e8ULL);
}

TEST(Hex, IsSoManyLowerCaseDigits) {
  EXPECT_TRUE(is_hex("0123456789abcdef", 16));
  EXPECT_TRUE(is_hex("", 0));
  for (const char* text : {"0123456789abcde", "0123456789abcdeF", "0123456789abcdeg", "0123456789abcdef0"})
    EXPECT_FALSE(is_hex(text, 16)) << text;
}

}  // namespace
}  // namespace reeltag
