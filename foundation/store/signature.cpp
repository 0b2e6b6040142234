#include "signature.hpp"

#include <cstdint>
#include <string_view>

#include "reeltag/base/hash.hpp"
#include "reeltag/base/percent.hpp"
#include "reeltag/base/time.hpp"
#include "url.hpp"

namespace reeltag::store {
namespace {

std::string bytes_of(const Sha256Digest& digest) { return {digest.begin(), digest.end()}; }

// Source: RFC 2104; 64 is SHA-256's block size in bytes.
std::string hmac(std::string key, std::string_view text) {
  constexpr std::size_t kBlock = 64;
  if (key.size() > kBlock) key = bytes_of(sha256(key));
  key.resize(kBlock, '\0');
  std::string inner = key, outer = key;
  for (auto& c : inner) c = static_cast<char>(c ^ 0x36);
  for (auto& c : outer) c = static_cast<char>(c ^ 0x5C);
  return bytes_of(sha256(outer + bytes_of(sha256(inner + std::string(text)))));
}

}  // namespace

std::string query_of(const UnsignedRequest& request) {
  std::string out;
  for (const auto& [name, value] : request.query) {
    out += (out.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
  }
  return out;
}

std::vector<std::string> sign(const UnsignedRequest& request, const Credentials& keys, const std::string& region,
                              std::time_t now) {
  const auto nothing = hex(sha256(""));
  const auto stamp = utc_text(now, "%Y%m%dT%H%M%SZ"), day = utc_text(now, "%Y%m%d");
  std::map<std::string, std::string> headers{
      {"host", request.host}, {"x-amz-content-sha256", nothing}, {"x-amz-date", stamp}};
  if (!keys.token.empty()) headers["x-amz-security-token"] = keys.token;
  std::string lines, names;
  for (const auto& [name, value] : headers) {
    lines += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  const auto canonical =
      request.method + "\n" + request.path + "\n" + query_of(request) + "\n" + lines + "\n" + names + "\n" + nothing;
  const auto scope = day + "/" + region + "/s3/aws4_request";
  const auto to_sign = "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hex(sha256(canonical));
  const auto key = hmac(hmac(hmac(hmac("AWS4" + keys.secret, day), region), "s3"), "aws4_request");
  const auto signature = hmac(key, to_sign);
  std::vector<std::string> out{
      "Authorization: AWS4-HMAC-SHA256 Credential=" + keys.key + "/" + scope + ",SignedHeaders=" + names +
      ",Signature=" + hex({reinterpret_cast<const std::uint8_t*>(signature.data()), signature.size()})};
  headers.erase("host");
  for (const auto& [name, value] : headers) out.push_back(name + ": " + value);
  return out;
}

}  // namespace reeltag::store
