// Parses one request from the bytes of a connection: the head, then the body in pieces. Strict where leniency would let
// two chained servers disagree about the end of a request (request smuggling). One thread; owns its state.
//
//   RequestParser parser(limits);
//   while (!parser.is_done() && !parser.failure()) {
//     const std::size_t used = parser.feed(bytes);    // stops after the head and after each piece
//     if (!parser.piece().empty()) sink(parser.piece());
//     bytes.remove_prefix(used);                      // none used: append more bytes first
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/http/exchange.hpp"

namespace reeltag::http::server {

class RequestParser {
 public:
  struct Limits {
    std::size_t header_bytes = 16 << 10;
    std::size_t headers = 100;
    std::size_t target_bytes = 8 << 10;
  };
  // The response to send; bytes after it cannot be parsed.
  struct Failure {
    int status = 400;
    std::string code = {};
    std::string detail = {};
  };

  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  // Returns how many bytes of input were consumed.
  std::size_t feed(std::string_view input);

  [[nodiscard]] bool has_head() const;  // request(), segments() and the flags below are valid
  [[nodiscard]] bool is_done() const;   // the body is complete
  [[nodiscard]] const std::optional<Failure>& failure() const;
  [[nodiscard]] std::string_view piece() const;  // of the body; a view into the last input

  [[nodiscard]] Request& request();
  [[nodiscard]] const std::vector<std::string>& segments() const;  // of the path, decoded
  [[nodiscard]] bool keeps_alive() const;
  [[nodiscard]] bool expects_continue() const;
  [[nodiscard]] bool is_http_1_0() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::http::server
