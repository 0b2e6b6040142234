#include "request_parser.hpp"

#include <algorithm>
#include <array>

#include <boost/beast/http/basic_parser.hpp>

#include "target.hpp"

namespace reeltag::http::server {
namespace {

namespace beast = boost::beast::http;
using boost::system::error_code;
using Failure = RequestParser::Failure;

constexpr std::size_t kMaxChunkExtension = 256;  // bytes; only attackers use them

Failure failure_of(const error_code& ec) {
  if (ec == beast::error::header_limit || ec == beast::error::buffer_overflow)
    return {431, "header_too_large", "the request's head is too large"};
  if (ec == beast::error::bad_version) return {505, "unsupported_version", "HTTP/1.1 and HTTP/1.0 only"};
  return {400, "bad_request", "this is no valid HTTP request: " + ec.message()};
}

// Fields that may occur only once; two values would let two readers choose differently.
bool is_single(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kSingle{"host",         "content-length", "transfer-encoding",
                                                           "content-type", "authorization",  "expect",
                                                           "range",        "if-range",       "x-request-id"};
  return std::find(kSingle.begin(), kSingle.end(), name) != kSingle.end();
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

// Beast calls the on_... functions; a failure set in them ends the parse.
struct RequestParser::Impl final : beast::basic_parser<true> {
  explicit Impl(const Limits& l) : limits(l) {
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    body_limit(boost::none);  // the route's limit is known only after the head
    eager(false);
  }

  Limits limits;
  Request request;
  std::vector<std::string> segments;
  std::string_view piece;
  std::optional<Failure> failure;
  std::size_t header_count = 0;
  int version = 11;
  bool head = false;

  void refuse(int status, std::string code, std::string detail, error_code& ec) {
    failure = Failure{status, std::move(code), std::move(detail)};
    ec = beast::error::bad_field;
  }

  void on_request_impl(beast::verb, boost::beast::string_view method, boost::beast::string_view target, int number,
                       error_code& ec) override {
    request.method = view(method);
    version = number;
    if (target.size() > limits.target_bytes) return refuse(414, "uri_too_long", "the path and query are too long", ec);
    auto parsed = server::parse_target(view(target));
    if (!parsed) return refuse(400, "bad_request", "the path or the query is not valid", ec);
    request.path = std::move(parsed->path);
    request.query = std::move(parsed->query);
    segments = std::move(parsed->segments);
  }

  void on_field_impl(beast::field, boost::beast::string_view field, boost::beast::string_view value,
                     error_code& ec) override {
    if (head) return;  // trailers are ignored
    if (++header_count > limits.headers) return refuse(431, "header_too_large", "too many header fields", ec);
    std::string name = lower_case(view(field));
    const auto [at, is_new] = request.headers.try_emplace(std::move(name), view(value));
    if (is_new) return;
    if (is_single(at->first)) return refuse(400, "bad_request", "the field " + at->first + " is there twice", ec);
    at->second += at->first == "cookie" ? "; " : ", ";
    at->second += view(value);
  }

  void on_header_impl(error_code& ec) override {
    const auto coding = request.headers.find("transfer-encoding");
    if (coding != request.headers.end() && lower_case(coding->second) != "chunked")
      return refuse(501, "not_supported", "of the transfer codings only chunked", ec);
    if (coding != request.headers.end() && version < 11)
      return refuse(400, "bad_request", "HTTP/1.0 has no transfer codings", ec);
    if (version >= 11 && request.header("host").empty())
      return refuse(400, "bad_request", "the Host field is missing", ec);
    if (coding == request.headers.end()) {
      const auto length = content_length();
      if (length && *length > static_cast<std::uint64_t>(INT64_MAX))
        return refuse(413, "too_large", "the body is too large", ec);
      request.content_length = length ? static_cast<std::int64_t>(*length) : 0;
    }
    head = true;
  }

  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(boost::beast::string_view body, error_code&) override {
    piece = view(body);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view extension, error_code& ec) override {
    if (extension.size() > kMaxChunkExtension) refuse(400, "bad_request", "a chunk's extension is too long", ec);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body, error_code&) override {
    piece = view(body);
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

RequestParser::RequestParser(const Limits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::feed(std::string_view input) {
  impl_->piece = {};
  if (impl_->failure || impl_->is_done() || input.empty()) return 0;
  error_code ec;
  const std::size_t used = impl_->put(boost::asio::const_buffer(input.data(), input.size()), ec);
  if (ec == beast::error::need_more || !ec) return used;
  if (!impl_->failure) impl_->failure = failure_of(ec);
  impl_->piece = {};
  return used;
}

bool RequestParser::has_head() const { return impl_->head; }
bool RequestParser::is_done() const { return impl_->head && impl_->is_done(); }
const std::optional<RequestParser::Failure>& RequestParser::failure() const { return impl_->failure; }
std::string_view RequestParser::piece() const { return impl_->piece; }
Request& RequestParser::request() { return impl_->request; }
const std::vector<std::string>& RequestParser::segments() const { return impl_->segments; }
bool RequestParser::keeps_alive() const { return impl_->keep_alive(); }
bool RequestParser::expects_continue() const {
  return impl_->version >= 11 && lower_case(impl_->request.header("expect")) == "100-continue";
}
bool RequestParser::is_http_1_0() const { return impl_->version < 11; }

}  // namespace reeltag::http::server
