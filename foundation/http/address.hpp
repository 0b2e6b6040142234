// Which addresses are public. Source: IANA's special-purpose address registries for IPv4 (RFC 6890 and successors) and
// IPv6. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace reeltag::http {

// 16 bytes; an IPv4 address is written as ::ffff:a.b.c.d.
using Address = std::array<std::uint8_t, 16>;

struct Network {
  Address address{};
  int bits = 128;

  [[nodiscard]] bool holds(const Address& a) const;
};

// "10.0.0.0/8", "127.0.0.1", "fd00::/8". Throws Exception(invalid_config).
Network parse_network(const std::string& text);

// Of a socket address; false for another family than IPv4 and IPv6.
bool address_of(const sockaddr* from, socklen_t length, Address& to);
std::string to_string(const Address& address);

// Reachable by anyone on the internet: not this machine, its network, or one of the ranges with a meaning of their own.
bool is_public(const Address& address);

}  // namespace reeltag::http
