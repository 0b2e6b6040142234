// One request out of the bytes of a connection: its head, then its body piece by piece. Strict where lenience lets two
// servers in a row disagree about where a request ends (request smuggling). One thread; owns its state.
//
//   RequestParser parser(limits);
//   while (!parser.is_done() && !parser.failure()) {
//     const std::size_t used = parser.feed(bytes);    // stops after the head and after each piece
//     if (!parser.piece().empty()) sink(parser.piece());
//     bytes.remove_prefix(used);                      // none used: more bytes must stand behind these
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
  // What to answer; nothing after it can be understood.
  struct Failure {
    int status = 400;
    std::string code = {};
    std::string detail = {};
  };

  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  // How many bytes of input were used.
  std::size_t feed(std::string_view input);

  [[nodiscard]] bool has_head() const;  // request(), segments() and the questions below have answers
  [[nodiscard]] bool is_done() const;   // the body is whole
  [[nodiscard]] const std::optional<Failure>& failure() const;
  [[nodiscard]] std::string_view piece() const;  // of the body; a part of the last input

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
