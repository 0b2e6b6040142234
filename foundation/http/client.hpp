// Determines the client that a request's limits apply to: the connecting address or, if that is a trusted proxy, the
// address that the proxies report in X-Forwarded-For. Values; any thread. Private to the server.
//
//   const Proxies proxies({"10.0.0.0/8"});
//   Client client = proxies.connected(address);
//   if (client.is_proxy) client = proxies.behind(client, request.header("x-forwarded-for"));
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "address.hpp"

namespace reeltag::http::server {

struct Client {
  std::string address = "unknown";
  std::string key = "unknown";  // for IPv6 the /64, which belongs to one customer
  bool is_proxy = false;
};

class Proxies {
 public:
  // Addresses and networks. Throws Exception(invalid_config).
  explicit Proxies(const std::vector<std::string>& trusted);

  [[nodiscard]] Client connected(const Address& address) const;
  // Reads from the right, where trusted proxies append: entries left of the first address that is not a trusted proxy
  // come from the client and are ignored.
  [[nodiscard]] Client behind(const Client& proxy, std::string_view forwarded_for) const;

 private:
  std::vector<Network> trusted_;
};

}  // namespace reeltag::http::server
