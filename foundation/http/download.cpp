#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <mutex>
#include <optional>

#include "address.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/http.hpp"

namespace reeltag::http {
namespace {

constexpr long kSlowBytes = 1024, kSlowSeconds = 30;  // slower than this for so long is given up
constexpr long kMillisecond = 1000;

template <class T, auto free>
using Owned = std::unique_ptr<T, decltype([](T* p) { free(p); })>;
using Easy = Owned<CURL, curl_easy_cleanup>;
using Url = Owned<CURLU, curl_url_cleanup>;

// URLs come from anywhere and end up on terminals.
std::string printable(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  if (text.size() > 200) text = text.substr(0, 200) + "...";
  return text;
}

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK || text == nullptr) return {};
  const Owned<char, curl_free> owned(text);
  return owned.get();
}

// One download: what curl calls back for, and why it was ended.
class Transfer {
 public:
  Transfer(std::string url, const Sink& sink, const ClientOptions& options)
      : url_(std::move(url)), sink_(sink), options_(options) {
    for (const auto& text : options.allow) allowed_.push_back(parse_network(text));
  }

  Result<Download> run() {
    if (auto fits = check_url(); !fits) return tl::unexpected(fits.error());
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_.reset(curl_easy_init());
    if (!curl_) throw std::bad_alloc();
    set_up();
    const CURLcode code = curl_easy_perform(curl_.get());
    if (refused_) return tl::unexpected(*refused_);
    if (code != CURLE_OK) return tl::unexpected(problem(code));
    if (auto fine = check_status(); !fine) return tl::unexpected(fine.error());
    return Download{.url = info(CURLINFO_EFFECTIVE_URL), .content_type = info(CURLINFO_CONTENT_TYPE), .bytes = bytes_};
  }

 private:
  [[nodiscard]] Error error(Code code, const std::string& what) const { return {code, printable(url_) + ": " + what}; }

  // Refuses what is no plain http or https URL, before anything is looked up.
  [[nodiscard]] Result<void> check_url() const {
    const auto bad = [](unsigned char c) { return c <= 0x20 || c == 0x7F || c == '\\'; };
    if (url_.size() > 8192 || std::any_of(url_.begin(), url_.end(), bad))
      return tl::unexpected(
          error(Code::invalid_argument, "is no URL: it holds spaces, control characters or backslashes"));
    const Url parsed(curl_url());
    if (!parsed) throw std::bad_alloc();
    if (curl_url_set(parsed.get(), CURLUPART_URL, url_.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
      return tl::unexpected(error(Code::invalid_argument, "is no URL"));
    const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
      return tl::unexpected(error(Code::unsupported, "only http and https URLs are fetched, not " + printable(scheme)));
    if (!part(parsed.get(), CURLUPART_USER).empty() || !part(parsed.get(), CURLUPART_PASSWORD).empty())
      return tl::unexpected(error(Code::unsupported, "URLs with a user name or password are not fetched"));
    return {};
  }

  template <class T>
  void set(CURLoption option, T value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK)
      throw Exception(Code::internal, "libcurl refuses option " + std::to_string(option));
  }

  void set_up() {
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    // An encrypted download is not continued in the clear.
    set(CURLOPT_REDIR_PROTOCOLS_STR, url_.starts_with("https:") ? "https" : "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, static_cast<long>(options_.max_redirects));
    set(CURLOPT_PROXY, "");  // a proxy of the environment would connect where we may not
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout * kMillisecond));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout * kMillisecond));
    set(CURLOPT_LOW_SPEED_LIMIT, kSlowBytes);
    set(CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options_.max_bytes));
    set(CURLOPT_USERAGENT, "reeltag");
    set(CURLOPT_ERRORBUFFER, detail_.data());
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
    set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  // Every connection comes by here with the address that it will reach: also behind a redirect, and whatever name
  // resolution answered a moment before.
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* to) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (!transfer.may_reach(*to)) return CURL_SOCKET_BAD;
    return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
  }

  bool may_reach(const curl_sockaddr& to) {
    Address address{};
    const bool known = address_of(&to.addr, to.addrlen, address);
    const bool listed =
        std::any_of(allowed_.begin(), allowed_.end(), [&](const Network& n) { return n.holds(address); });
    if (known && (options_.allow_private || listed || is_public(address))) return true;
    refused_ = error(Code::permission_denied,
                     "leads to " + (known ? to_string(address) : std::string("a socket of another kind")) +
                         ", which is not a public address. If it is meant, allow it: --set http.allow=[" +
                         (known ? to_string(address) : std::string("ADDRESS")) + "]");
    return false;
  }

  static std::size_t write(char* data, std::size_t, std::size_t size, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    if (!t.check_status()) return 0;  // the body of an error page is of no interest
    t.bytes_ += static_cast<std::int64_t>(size);
    if (t.bytes_ > t.options_.max_bytes) {
      t.refused_ = t.too_large();
      return 0;
    }
    if (t.sink_({data, size})) return size;
    t.refused_ = t.error(Code::unavailable, "what came could not be stored");
    return 0;
  }

  static int progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    if (!stop::token().stop_requested()) return 0;
    auto& t = *static_cast<Transfer*>(self);
    t.refused_ = t.error(Code::interrupted, "interrupted");
    return 1;
  }

  // Sets refused_ for an answer that is no success.
  Result<void> check_status() {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return {};
    const Code code = status == 404 || status == 410                    ? Code::not_found
                      : status == 401 || status == 403 || status == 451 ? Code::permission_denied
                                                                        : Code::unavailable;
    refused_ = error(code, "the server answered with status " + std::to_string(status));
    return tl::unexpected(*refused_);
  }

  [[nodiscard]] Error too_large() const {
    return error(Code::too_large, "is larger than " + std::to_string(options_.max_bytes) +
                                      " bytes; raise http.max_bytes if that is expected");
  }

  [[nodiscard]] Error problem(CURLcode code) const {
    const std::string why = detail_[0] != '\0' ? detail_.data() : curl_easy_strerror(code);
    switch (code) {
      case CURLE_FILESIZE_EXCEEDED:
        return too_large();
      case CURLE_OPERATION_TIMEDOUT:
        return error(Code::timeout, why + "; raise http.timeout if that is expected");
      case CURLE_URL_MALFORMAT:
        return error(Code::invalid_argument, why);
      case CURLE_UNSUPPORTED_PROTOCOL:
        return error(Code::unsupported, "is redirected to what is not fetched: " + why);
      case CURLE_COULDNT_RESOLVE_HOST:
        return error(Code::not_found, why);
      default:
        return error(Code::unavailable, why);
    }
  }

  std::string info(CURLINFO which) const {
    const char* text = nullptr;
    curl_easy_getinfo(curl_.get(), which, &text);
    return text != nullptr ? text : "";
  }

  std::string url_;
  const Sink& sink_;
  const ClientOptions& options_;
  std::vector<Network> allowed_;
  Easy curl_;
  std::int64_t bytes_ = 0;
  std::optional<Error> refused_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
};

}  // namespace

Result<Download> download(const std::string& url, const Sink& sink, const ClientOptions& options) {
  return Transfer(url, sink, options).run();
}

bool is_url(std::string_view text) {
  const auto begins = [&](std::string_view scheme) {
    return text.size() > scheme.size() && std::equal(scheme.begin(), scheme.end(), text.begin(), [](char a, char b) {
             return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
           });
  };
  return begins("http://") || begins("https://");
}

}  // namespace reeltag::http
