#include "s3_url.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "key.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/percent.hpp"
#include "url.hpp"

namespace reeltag::store {
namespace {

// S3's limit for prefix, '/' and key together.
constexpr std::size_t kMaxPrefixBytes = 1024 - 1 - kMaxKeyBytes;

[[noreturn]] void refuse_s3_url(const std::string& url, const std::string& why) {
  throw Exception(Code::invalid_argument, "store URL '" + without_secrets(url) + "': " + why);
}

[[noreturn]] void refuse_secret(const std::string& url) {
  refuse_s3_url(
      url,
      "credentials do not belong in a URL, which is kept with runs and logs; put them in the environment "
      "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), in a profile (AWS_PROFILE), or give the machine a role. If this "
      "one was real, replace it");
}

std::string decoded(const std::string& url, std::string_view text) {
  auto out = percent_decoded(text);
  if (!out) refuse_s3_url(url, "'%' must be followed by two hex digits; write '%' itself as %25");
  return std::move(*out);
}

bool is_secret(std::string name) {
  constexpr std::array<std::string_view, 6> kWords{"key", "secret", "token", "password", "credential", "signature"};
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(kWords.begin(), kWords.end(), [&](auto word) { return name.find(word) != std::string::npos; });
}

void set_option(const std::string& url, const std::string& name, const std::string& value, S3Place& place) {
  const auto one_of = [&](std::string_view a, std::string_view b) {
    if (value != a && value != b) refuse_s3_url(url, name + " is " + std::string(a) + " or " + std::string(b));
  };
  if (is_secret(name)) refuse_secret(url);
  if (name == "region") {
    place.region = value;
  } else if (name == "endpoint_override") {
    if (value.empty() || value.find_first_of("/@?# ") != std::string::npos) {
      refuse_s3_url(url, "endpoint_override is host or host:port, and scheme=http an option of its own");
    }
    place.endpoint = value;
  } else if (name == "scheme") {
    one_of("https", "http");
    place.scheme = value;
  } else if (name == "force_virtual_addressing") {
    one_of("true", "false");
    place.virtual_hosts = value == "true";
  } else {
    refuse_s3_url(url, "option '" + name + "' is none of region, endpoint_override, scheme, force_virtual_addressing");
  }
}

void read_options(const std::string& url, std::string_view query, S3Place& place) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto option = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(option.find('='), option.size());
    const auto value = option.substr(std::min(equals + 1, option.size()));
    set_option(url, decoded(url, option.substr(0, equals)), decoded(url, value), place);
  }
}

void check_bucket(const std::string& url, const std::string& bucket) {
  const bool plain = std::all_of(bucket.begin(), bucket.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  if (bucket.size() < 3 || bucket.size() > 63 || !plain || bucket.front() == '.' || bucket.find("..") != bucket.npos) {
    refuse_s3_url(url, "'" + (plain ? bucket : "...") + "' is no bucket's name: 3 to 63 of a-z, 0-9, '-' and '.'");
  }
}

}  // namespace

S3Place parse_s3_url(const std::string& url) {
  std::string_view rest = std::string_view(url).substr(std::string_view("s3://").size());
  const auto mark = std::min(rest.find('?'), rest.size());
  const auto query = rest.substr(std::min(mark + 1, rest.size()));
  rest = rest.substr(0, mark);
  if (rest.find('@') != std::string_view::npos) refuse_secret(url);
  if (rest.find('#') != std::string_view::npos) refuse_s3_url(url, "write '#' as %23");
  S3Place place;
  read_options(url, query, place);
  const auto slash = std::min(rest.find('/'), rest.size());
  place.bucket = decoded(url, rest.substr(0, slash));
  place.prefix = decoded(url, rest.substr(std::min(slash + 1, rest.size())));
  while (place.prefix.ends_with('/')) place.prefix.pop_back();
  check_bucket(url, place.bucket);
  if (place.prefix.size() > kMaxPrefixBytes) {
    refuse_s3_url(url, "the prefix is longer than " + std::to_string(kMaxPrefixBytes) + " bytes");
  }
  if (!place.prefix.empty()) check_key(place.prefix);
  return place;
}

std::string s3_url_of(const S3Place& place) {
  std::string url = "s3://" + place.bucket;
  if (!place.prefix.empty()) url += "/" + percent_encoded(place.prefix, "/");
  std::string options;
  const auto add = [&](const std::string& name, const std::string& value) {
    options += (options.empty() ? "?" : "&") + name + "=" + percent_encoded(value, ":");
  };
  if (!place.region.empty()) add("region", place.region);
  if (!place.endpoint.empty()) add("endpoint_override", place.endpoint);
  if (place.scheme != "https") add("scheme", place.scheme);
  if (place.virtual_hosts) add("force_virtual_addressing", "true");
  return url + options;
}

}  // namespace reeltag::store
