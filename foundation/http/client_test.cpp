#include "client.hpp"

#include <gtest/gtest.h>

#include "reeltag/base/error.hpp"

namespace reeltag::http::server {
namespace {

class ProxiesTest : public testing::Test {
 protected:
  static Address address(const std::string& text) { return parse_network(text).address; }
  std::string behind(const std::string& peer, const std::string& forwarded_for) {
    return proxies_.behind(proxies_.connected(address(peer)), forwarded_for).key;
  }
  Proxies proxies_{{"127.0.0.1", "10.0.0.0/8", "fd00::/8"}};
};

TEST_F(ProxiesTest, AClientIsItsAddressOrItsNetwork) {
  EXPECT_EQ(proxies_.connected(address("192.0.2.7")).key, "192.0.2.7");
  const auto v6 = proxies_.connected(address("2001:db8:1:2:3:4:5:6"));
  EXPECT_EQ(v6.address, "2001:db8:1:2:3:4:5:6");
  EXPECT_EQ(v6.key, "2001:db8:1:2::/64");
  EXPECT_FALSE(v6.is_proxy);
  EXPECT_TRUE(proxies_.connected(address("10.9.8.7")).is_proxy);
}

TEST_F(ProxiesTest, AStrangersWordCountsForNothing) {
  EXPECT_EQ(behind("192.0.2.7", "198.51.100.1"), "192.0.2.7");
  EXPECT_EQ(behind("127.0.0.1", "198.51.100.1, 192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(behind("127.0.0.1", "198.51.100.1, 192.0.2.7, 10.0.0.3"), "192.0.2.7");
}

TEST_F(ProxiesTest, WhatIsNoAddressLeavesTheProxyItself) {
  for (const auto* text : {"", "unknown", "192.0.2.0/24", "a,", ",", "[", "[]", "192.0.2.7:80:1"})
    EXPECT_EQ(behind("127.0.0.1", text), "127.0.0.1") << text;
  EXPECT_EQ(behind("127.0.0.1", "192.0.2.7, nonsense, 10.0.0.3"), "10.0.0.3");
}

TEST_F(ProxiesTest, PortsAndSpacesDoNotMatter) {
  EXPECT_EQ(behind("127.0.0.1", "  192.0.2.7:4711 "), "192.0.2.7");
  EXPECT_EQ(behind("fd00::1", "[2001:db8::7]:4711"), "2001:db8::/64");
  EXPECT_EQ(behind("127.0.0.1", "2001:db8::7"), "2001:db8::/64");
}

TEST_F(ProxiesTest, OnlyProxiesOnTheWayMeansTheFirst) {
  EXPECT_EQ(behind("127.0.0.1", "10.0.0.1,10.0.0.2"), "10.0.0.1");
}

TEST(ProxiesSetting, MustBeAddressesOrNetworks) { EXPECT_THROW(Proxies({"nginx"}), Exception); }

}  // namespace
}  // namespace reeltag::http::server
