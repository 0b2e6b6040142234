// Verifies received bytes against a client's checksum (tus' Upload-Checksum). One thread.
//
//   auto checksum = Checksum::parse("sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
//   checksum->update("abc");
//   checksum->matches();                                        // true
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "reeltag/base/error.hpp"
#include "reeltag/base/hash.hpp"

namespace reeltag::serve {

class Checksum {
 public:
  static constexpr const char* kAlgorithms = "sha1,sha256";

  // Fails with invalid_argument, worded for the client.
  static Result<Checksum> parse(std::string_view header);

  void update(std::string_view bytes);
  // For all bytes so far; call it once only.
  bool matches();

 private:
  std::variant<Sha1, Sha256> hash_;
  std::string wanted_;
};

}  // namespace reeltag::serve
