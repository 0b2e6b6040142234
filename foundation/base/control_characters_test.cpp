#include "reeltag/base/control_characters.hpp"

#include <gtest/gtest.h>

namespace reeltag {
namespace {

TEST(ControlCharacters, AreTakenOutOfTextsOfStrangers) {
  EXPECT_EQ(without_controls("a\x1b[31mb\x07\r\nc\x7f"), "a[31mbc");
  EXPECT_EQ(without_controls("a\xC2\x9B\x33\x31mb\xC2\x85"), "a31mb");          // C1: CSI and NEL
  EXPECT_EQ(without_controls("invoice\xE2\x80\xAEgpj.exe"), "invoicegpj.exe");  // right-to-left override
  EXPECT_EQ(without_controls("\xE2\x81\xA6"
                             "a\xE2\x81\xA9\xE2\x80\xA8"),
            "a");  // isolates, line separator
  EXPECT_EQ(without_controls(std::string_view("\0x", 2)), "x");
}

TEST(ControlCharacters, EverythingElseStays) {
  for (const char* text : {"caf\xC3\xA9", "\xE2\x80\x8F\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D", "\xE2\x80\x94\xE2\x82\xAC",
                           "\xF0\x9F\x8E\xB8", "\xC2\xA0", "", "\xE2", "\xE2\x80", "\xC2"})
    EXPECT_EQ(without_controls(text), text);
}

}  // namespace
}  // namespace reeltag
