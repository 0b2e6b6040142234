// Whose limits a request counts against: the address that connected or, where that is a trusted proxy's, the one that
// the proxies name in X-Forwarded-For. Values; any thread. Private to the server.
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
  std::string key = "unknown";  // of IPv6 the /64 that one customer has
  bool is_proxy = false;
};

class Proxies {
 public:
  // Addresses and networks. Throws Exception(invalid_config).
  explicit Proxies(const std::vector<std::string>& trusted);

  [[nodiscard]] Client connected(const Address& address) const;
  // Read from the right, where trusted proxies write: what stands before the first address that is none of theirs is
  // the client's own word, and counts for nothing.
  [[nodiscard]] Client behind(const Client& proxy, std::string_view forwarded_for) const;

 private:
  std::vector<Network> trusted_;
};

}  // namespace reeltag::http::server
