#include "address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "reeltag/base/error.hpp"

namespace reeltag::http {
namespace {

constexpr int kV4Bits = 96;  // the prefix ::ffff:0:0 before an IPv4 address

bool is_v4(const Address& a) {
  static constexpr std::array<std::uint8_t, 12> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(kPrefix.begin(), kPrefix.end(), a.begin());
}

Address from_v4(const in_addr& v4) {
  Address out{};
  out[10] = out[11] = 0xFF;
  std::memcpy(&out[12], &v4, 4);
  return out;
}

std::vector<Network> networks(std::initializer_list<const char*> texts) {
  std::vector<Network> out;
  for (const char* text : texts) out.push_back(parse_network(text));
  return out;
}

bool among(const std::vector<Network>& list, const Address& a) {
  return std::any_of(list.begin(), list.end(), [&](const Network& n) { return n.holds(a); });
}

}  // namespace

bool Network::holds(const Address& a) const {
  for (int bit = 0; bit < bits; bit += 8) {
    const int rest = std::min(8, bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xFF00U >> static_cast<unsigned>(rest));
    const auto at = static_cast<std::size_t>(bit / 8);
    if (((a[at] ^ address[at]) & mask) != 0) return false;
  }
  return true;
}

Network parse_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string host = text.substr(0, slash);
  Network out;
  in_addr v4{};
  in6_addr v6{};
  int widest = 128;
  bool ok = true;
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    out.address = from_v4(v4);
    widest = 32;
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    std::memcpy(out.address.data(), &v6, sizeof v6);
  } else {
    ok = false;
  }
  int bits = widest;
  if (slash != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(text.data() + slash + 1, end, bits);
    ok = ok && problem == std::errc() && stopped == end && bits >= 0 && bits <= widest;
  }
  if (!ok) {
    throw Exception(Code::invalid_config,
                    "'" + text + "' is no address or network; want e.g. 10.1.0.0/16, 127.0.0.1 or fd00::/8");
  }
  out.bits = widest == 32 ? kV4Bits + bits : bits;
  return out;
}

bool address_of(const sockaddr* from, socklen_t length, Address& to) {
  if (from->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    to = from_v4(v4.sin_addr);
    return true;
  }
  if (from->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof v6);
    std::memcpy(to.data(), &v6.sin6_addr, to.size());
    return true;
  }
  return false;
}

std::string to_string(const Address& a) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_v4(a)) {
    ::inet_ntop(AF_INET, &a[12], text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, a.data(), text.data(), text.size());
  }
  return text.data();
}

bool is_public(const Address& a) {
  static const auto special_v4 =
      networks({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
                "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"});
  // Of IPv6 only 2000::/3 is allocated; within it Teredo, documentation and 6to4 are not public.
  static const Network given = parse_network("2000::/3");
  static const auto special_v6 = networks({"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"});
  return is_v4(a) ? !among(special_v4, a) : given.holds(a) && !among(special_v6, a);
}

}  // namespace reeltag::http
