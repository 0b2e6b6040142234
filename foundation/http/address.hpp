// Classifies IP addresses as public or not. Source: IANA's special-purpose address registries for IPv4 (RFC 6890 and
// successors) and IPv6. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace reeltag::http {

// 16 bytes; an IPv4 address is mapped to ::ffff:a.b.c.d.
using Address = std::array<std::uint8_t, 16>;

struct Network {
  Address address{};
  int bits = 128;

  [[nodiscard]] bool holds(const Address& a) const;
};

// "10.0.0.0/8", "127.0.0.1", "fd00::/8". Throws Exception(invalid_config).
Network parse_network(const std::string& text);

// Converts a socket address; false for families other than IPv4 and IPv6.
bool address_of(const sockaddr* from, socklen_t length, Address& to);
std::string to_string(const Address& address);

// Whether anyone on the internet can reach it: false for this machine, its network and the special-purpose ranges.
bool is_public(const Address& address);

}  // namespace reeltag::http
