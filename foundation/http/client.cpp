#include "client.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "reeltag/base/error.hpp"
#include "target.hpp"

namespace reeltag::http::server {
namespace {

// Some proxies add the port: "192.0.2.7:1234", "[2001:db8::7]:1234".
std::string without_port(std::string_view text) {
  if (text.starts_with('[')) return std::string(text.substr(1, text.find(']') - 1));
  const auto colon = text.find(':');
  const bool is_v4_with_port = colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
  return std::string(is_v4_with_port ? text.substr(0, colon) : text);
}

std::optional<Address> address_in(std::string_view text) {
  const auto host = without_port(trimmed(text));
  if (host.find('/') != std::string::npos) return std::nullopt;
  try {
    return parse_network(host).address;
  } catch (const Exception&) {
    return std::nullopt;
  }
}

}  // namespace

Proxies::Proxies(const std::vector<std::string>& trusted) {
  for (const auto& network : trusted) trusted_.push_back(parse_network(network));
}

Client Proxies::connected(const Address& address) const {
  Client client{.address = to_string(address)};
  client.key = client.address;
  if (client.address.find(':') != std::string::npos) {
    Address network = address;
    std::fill(network.begin() + 8, network.end(), std::uint8_t{0});
    client.key = to_string(network) + "/64";
  }
  client.is_proxy = std::any_of(trusted_.begin(), trusted_.end(), [&](const Network& n) { return n.holds(address); });
  return client;
}

Client Proxies::behind(const Client& proxy, std::string_view forwarded_for) const {
  Client client = proxy;
  while (client.is_proxy && !forwarded_for.empty()) {
    const auto comma = forwarded_for.rfind(',');
    const auto address = address_in(forwarded_for.substr(comma == std::string_view::npos ? 0 : comma + 1));
    if (!address) break;
    client = connected(*address);
    forwarded_for = forwarded_for.substr(0, comma == std::string_view::npos ? 0 : comma);
  }
  return client;
}

}  // namespace reeltag::http::server
