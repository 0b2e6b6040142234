#include "address.hpp"

#include <gtest/gtest.h>

#include "reeltag/base/error.hpp"

namespace reeltag::http {
namespace {

Address address(const char* text) { return parse_network(text).address; }

TEST(Address, SpecialOnesAreNotPublic) {
  for (const char* text : {"0.0.0.0",
                           "10.0.0.1",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.255.254",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.9",
                           "224.0.0.1",
                           "239.1.2.3",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::127.0.0.1",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:10::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "3fff::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "ff02::1",
                           "4000::1"}) {
    EXPECT_FALSE(is_public(address(text))) << text;
  }
}

TEST(Address, OthersArePublic) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255",
                           "128.0.0.1", "172.15.255.255", "172.32.0.1", "192.169.0.1", "198.17.255.255",
                           "223.255.255.1", "2600::1", "2a00:1450:4001:80b::200e", "2001:4860:4860::8888"}) {
    EXPECT_TRUE(is_public(address(text))) << text;
  }
}

TEST(Address, AMappedAddressCountsAsTheOneInside) {
  EXPECT_EQ(address("::ffff:127.0.0.1"), address("127.0.0.1"));
  EXPECT_FALSE(is_public(address("::ffff:10.0.0.1")));
  EXPECT_TRUE(is_public(address("::ffff:8.8.8.8")));
  EXPECT_EQ(to_string(address("::ffff:8.8.8.8")), "8.8.8.8");
}

TEST(Network, HoldsWhatBeginsAlike) {
  EXPECT_TRUE(parse_network("10.1.0.0/16").holds(address("10.1.255.3")));
  EXPECT_FALSE(parse_network("10.1.0.0/16").holds(address("10.2.0.1")));
  EXPECT_TRUE(parse_network("10.0.0.0/9").holds(address("10.127.0.1")));
  EXPECT_FALSE(parse_network("10.0.0.0/9").holds(address("10.128.0.1")));
  EXPECT_TRUE(parse_network("127.0.0.1").holds(address("127.0.0.1")));
  EXPECT_FALSE(parse_network("127.0.0.1").holds(address("127.0.0.2")));
  EXPECT_TRUE(parse_network("fd00::/8").holds(address("fdff::1")));
  EXPECT_TRUE(parse_network("0.0.0.0/0").holds(address("1.2.3.4")));
  EXPECT_FALSE(parse_network("0.0.0.0/0").holds(address("2600::1")));
}

TEST(Network, RefusesWhatIsNone) {
  for (const char* text : {"", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "10.0.0", "::1/129", "/8"})
    EXPECT_THROW(parse_network(text), Exception) << text;
}

}  // namespace
}  // namespace reeltag::http
