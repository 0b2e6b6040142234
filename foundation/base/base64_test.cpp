#include "reeltag/base/base64.hpp"

#include <gtest/gtest.h>

namespace reeltag {
namespace {

TEST(Base64, IsWrittenWithPadding) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64("\xFF\xFE\xFD"), "//79");
}

TEST(Base64, IsReadAsItWasWritten) {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe\xfd\x01"}) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_base64(to_base64(bytes), Base64::lenient), bytes);
  }
  EXPECT_EQ(from_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(from_base64("//79"), "\xFF\xFE\xFD");
}

TEST(Base64, HasOneSpelling) {
  for (const char* wrong :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "=", "Zg==Zg==", "Zm 8", "Zm8-", "Zm8=\n"})
    EXPECT_EQ(from_base64(wrong), std::nullopt) << wrong;
}

TEST(Base64, IsReadAsProgramsWriteIt) {
  for (const auto* text :
       {"Zm9v\nYmFy\n", "Zm9v\r\nYmFy", " Zm9vYmFy ", "data:video/mp4;base64,Zm9vYmFy", "Zm9v\tYmFy"}) {
    EXPECT_EQ(from_base64(text, Base64::lenient), "foobar") << text;
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
  EXPECT_EQ(from_base64("__79", Base64::lenient), "\xFF\xFE\xFD");
  EXPECT_EQ(from_base64("-_-_", Base64::lenient), from_base64("+/+/"));
  EXPECT_EQ(from_base64("Zm9v,YmFy", Base64::lenient), std::nullopt);
}

TEST(Base64, MayLackPaddingWhereThatIsAskedFor) {
  EXPECT_EQ(from_base64("", Base64::lenient), "");
  EXPECT_EQ(from_base64("Zg==", Base64::lenient), "f");
  EXPECT_EQ(from_base64("Zg", Base64::lenient), "f");
  EXPECT_EQ(from_base64("Zm9vYg", Base64::lenient), "foob");
  EXPECT_EQ(from_base64("/+8=", Base64::lenient), "\xff\xef");
  for (const char* wrong : {"Z", "Zg=", "Zg===", "Z g=", "====", "Zm9!"})
    EXPECT_EQ(from_base64(wrong, Base64::lenient), std::nullopt) << wrong;
}

}  // namespace
}  // namespace reeltag
