#include <arpa/inet.h>
#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>

#include "address.hpp"
#include "reeltag/base/stop.hpp"
#include "transfer.hpp"

namespace reeltag::http {
namespace {

constexpr long kSlowBytes = 1024, kSlowSeconds = 30;  // a transfer slower than this for that long is aborted
constexpr long kMillisecond = 1000;
constexpr double kRateAfter = 10.0;       // seconds before min_rate counts
constexpr std::size_t kMaxHeaders = 200;  // of one response; further ones are ignored

template <class T, auto free>
using Owned = std::unique_ptr<T, decltype([](T* p) { free(p); })>;
using Easy = Owned<CURL, curl_easy_cleanup>;
using Url = Owned<CURLU, curl_url_cleanup>;
using Headers = Owned<curl_slist, curl_slist_free_all>;

std::string printable(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  if (text.size() > 200) text.replace(200, std::string::npos, "...");
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK || text == nullptr) return {};
  const Owned<char, curl_free> owned(text);
  return owned.get();
}

// One download: curl's callbacks, and the reason why it was ended.
class Transfer {
 public:
  Transfer(std::string url, const Exchange& exchange, const ClientOptions& options)
      : url_(std::move(url)), exchange_(exchange), options_(options) {
    for (const auto& text : options.allow) allowed_.push_back(parse_network(text));
  }

  Result<Download> run() {
    if (auto fits = check_url(); !fits) return fail(fits.error());
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_.reset(curl_easy_init());
    if (!curl_) throw std::bad_alloc();
    set_up();
    set_headers();
    begin_time_ = std::chrono::steady_clock::now();
    const CURLcode code = curl_easy_perform(curl_.get());
    if (thrown_) std::rethrow_exception(thrown_);
    if (refused_) return fail(*refused_);
    if (code != CURLE_OK) return fail(problem(code));
    if (!begin()) return fail(*refused_);  // an empty body
    return Download{.url = info(CURLINFO_EFFECTIVE_URL), .content_type = info(CURLINFO_CONTENT_TYPE), .bytes = bytes_};
  }

 private:
  [[nodiscard]] Error error(Code code, const std::string& what) const { return url_error(code, url_, what); }

  // Refuses anything but a plain http or https URL, before any name lookup.
  [[nodiscard]] Result<void> check_url() const {
    const auto bad = [](unsigned char c) { return c <= 0x20 || c == 0x7F || c == '\\'; };
    if (url_.size() > 8192 || std::any_of(url_.begin(), url_.end(), bad))
      return fail(error(Code::invalid_argument, "is no URL: it holds spaces, control characters or backslashes"));
    const Url parsed(curl_url());
    if (!parsed) throw std::bad_alloc();
    if (curl_url_set(parsed.get(), CURLUPART_URL, url_.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
      return fail(error(Code::invalid_argument, "is no URL"));
    const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
      return fail(error(Code::unsupported, "only http and https URLs are fetched, not " + printable(scheme)));
    if (!part(parsed.get(), CURLUPART_USER).empty() || !part(parsed.get(), CURLUPART_PASSWORD).empty())
      return fail(error(Code::unsupported, "URLs with a user name or password are not fetched"));
    if (!options_.proxy.empty() && is_private_literal(part(parsed.get(), CURLUPART_HOST)))
      return fail(error(Code::permission_denied, "is not a public address; no proxy is asked for it"));
    return {};
  }

  // A proxy resolves names itself; here at least a literal address can be checked.
  [[nodiscard]] bool is_private_literal(std::string host) const {
    host = lower(host);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    while (host.ends_with('.')) host.pop_back();
    in6_addr six{};
    in_addr four{};
    if (::inet_pton(AF_INET6, host.c_str(), &six) != 1 && ::inet_pton(AF_INET, host.c_str(), &four) != 1)
      return host == "localhost" || host.ends_with(".localhost");
    const auto address = parse_network(host).address;
    const bool listed =
        std::any_of(allowed_.begin(), allowed_.end(), [&](const Network& n) { return n.holds(address); });
    return !options_.allow_private && !listed && !is_public(address);
  }

  template <class T>
  void set(CURLoption option, T value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK)
      throw Exception(Code::internal, "libcurl refuses option " + std::to_string(option));
  }

  void set_up() {
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    // Never redirects an https download to http.
    set(CURLOPT_REDIR_PROTOCOLS_STR, url_.starts_with("https:") ? "https" : "http,https");
    set(CURLOPT_FOLLOWLOCATION, exchange_.follow ? 1L : 0L);
    set(CURLOPT_MAXREDIRS, static_cast<long>(options_.max_redirects));
    set(CURLOPT_PROXY, options_.proxy.c_str());  // never the environment's: it could connect to a forbidden address
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(exchange_.timeout * kMillisecond));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout * kMillisecond));
    set(CURLOPT_LOW_SPEED_LIMIT, kSlowBytes);
    set(CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(exchange_.max_bytes));
    set(CURLOPT_USERAGENT, "reeltag");
    // Decodes compressed bodies; the limits count decoded bytes. None is asked for: set_headers().
    set(CURLOPT_ACCEPT_ENCODING, "");
    set(CURLOPT_ERRORBUFFER, detail_.data());
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
    set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Transfer::header_line);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  void set_headers() {
    if (exchange_.body) {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange_.body->size()));
      set(CURLOPT_POSTFIELDS, exchange_.body->c_str());  // not copied: the exchange outlives the transfer
    }
    if (!exchange_.method.empty()) set(CURLOPT_CUSTOMREQUEST, exchange_.method.c_str());
    add_header("Accept-Encoding: identity");  // only uncompressed downloads can be resumed
    for (const auto* headers : {&options_.headers, &exchange_.headers}) {
      for (const auto& header : *headers) add_header(header);
    }
    set(CURLOPT_HTTPHEADER, headers_.get());
  }

  void add_header(const std::string& header) {
    curl_slist* list = curl_slist_append(headers_.get(), header.c_str());
    if (list == nullptr) throw std::bad_alloc();
    if (!headers_) headers_.reset(list);  // later entries are appended to the first
  }

  // Every connection passes here with its actual address: after redirects too, and whatever name resolution returned
  // before.
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

  // Exceptions must not pass through curl: they are rethrown after it returns. A different size ends the transfer.
  template <class Run>
  std::size_t guarded(std::size_t size, const Run& run) {
    try {
      return run() ? size : 0;
    } catch (...) {
      thrown_ = std::current_exception();
      return 0;
    }
  }

  // Receives status lines and headers of every response, one per call; those of the last one are kept.
  static std::size_t header_line(char* data, std::size_t, std::size_t size, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    return t.guarded(size, [&] { return t.keep_header({data, size}); });
  }

  bool keep_header(std::string_view line) {
    if (line.starts_with("HTTP/")) answer_.headers.clear();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || answer_.headers.size() >= kMaxHeaders) return true;
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && static_cast<unsigned char>(value.front()) <= 0x20) value.remove_prefix(1);
    while (!value.empty() && static_cast<unsigned char>(value.back()) <= 0x20) value.remove_suffix(1);
    answer_.headers.insert_or_assign(lower(line.substr(0, colon)), std::string(value));
    return true;
  }

  // Runs once, before the body: shows the response to the caller, then refuses error statuses.
  bool begin() {
    if (begun_) return true;
    begun_ = true;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
    if (exchange_.on_answer) {
      if (auto fine = exchange_.on_answer(answer_); !fine) refused_ = fine.error();
    }
    return !refused_ && check_status();
  }

  static std::size_t write(char* data, std::size_t, std::size_t size, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    return t.guarded(size, [&] { return t.take({data, size}); });
  }

  bool take(std::string_view bytes) {
    if (!begin()) return false;  // the body of an error page is not needed
    bytes_ += static_cast<std::int64_t>(bytes.size());
    if (bytes_ > exchange_.max_bytes) {
      refused_ = too_large();
    } else if (!exchange_.sink(bytes)) {
      refused_ = error(Code::unavailable, "what came could not be stored");
    }
    return !refused_;
  }

  static int progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& t = *static_cast<Transfer*>(self);
    if (!stop::token().stop_requested()) return t.is_too_slow() ? 1 : 0;
    t.refused_ = t.error(Code::interrupted, "interrupted");
    return 1;
  }

  // Who sends just enough to keep a connection open would hold a worker for as long as the timeout allows.
  bool is_too_slow() {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_time_).count();
    const bool slow = bytes_ > 0 && seconds > kRateAfter &&
                      static_cast<double>(bytes_) < static_cast<double>(options_.min_rate) * seconds;
    if (slow)
      refused_ = error(Code::timeout, "comes too slowly: less than " + std::to_string(options_.min_rate) +
                                          " bytes a second; lower http.min_rate if that is expected");
    return slow;
  }

  // Sets refused_ for an error status.
  bool check_status() {
    const long status = answer_.status;
    if (exchange_.any_status || (status >= 200 && status < 300)) return true;
    const Code code = status == 404 || status == 410                    ? Code::not_found
                      : status == 401 || status == 403 || status == 451 ? Code::permission_denied
                                                                        : Code::unavailable;
    refused_ = error(code, "the server answered with status " + std::to_string(status));
    return false;
  }

  [[nodiscard]] Error too_large() const { return error(Code::too_large, exchange_.too_large); }

  [[nodiscard]] Error problem(CURLcode code) const {
    const std::string why = detail_[0] != '\0' ? detail_.data() : curl_easy_strerror(code);
    switch (code) {
      case CURLE_FILESIZE_EXCEEDED:
        return too_large();
      case CURLE_OPERATION_TIMEDOUT:
        return error(Code::timeout, why + "; " + exchange_.late);
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
  const Exchange& exchange_;
  const ClientOptions& options_;
  std::vector<Network> allowed_;
  Headers headers_;
  Easy curl_;
  Answer answer_;
  bool begun_ = false;
  std::chrono::steady_clock::time_point begin_time_;
  std::int64_t bytes_ = 0;
  std::optional<Error> refused_;
  std::exception_ptr thrown_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
};

}  // namespace

std::string Answer::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

Error url_error(Code code, const std::string& url, const std::string& what) {
  return {code, printable(url) + ": " + what};
}

Result<Download> transfer(const std::string& url, const Exchange& exchange, const ClientOptions& options) {
  return Transfer(url, exchange, options).run();
}

}  // namespace reeltag::http
