#include "url.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "reeltag/base/error.hpp"

namespace reeltag::store {
namespace {

constexpr std::string_view kAccepted = "use s3://bucket/prefix, file:///absolute/path or a plain path";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

[[noreturn]] void refuse(const std::string& url, const std::string& why) {
  throw Exception(Code::invalid_argument, "store URL '" + without_secrets(url) + "': " + why);
}

std::string path_of_file_url(const std::string& url) {
  std::string_view rest = std::string_view(url).substr(std::string_view("file://").size());
  constexpr std::string_view kLocalhost = "localhost/";
  if (rest.starts_with(kLocalhost)) rest.remove_prefix(kLocalhost.size() - 1);
  if (!rest.starts_with('/')) refuse(url, "a file URL has three slashes and an absolute path: file:///home/me/store");
  if (rest.find_first_of("?#") != std::string_view::npos) {
    refuse(url, "a file URL has no options; write '?' as %3F and '#' as %23 in a path");
  }
  const auto path = percent_decoded(rest);
  if (!path) refuse(url, "'%' must be followed by two hex digits; write '%' itself as %25");
  return *path;
}

}  // namespace

std::filesystem::path folder_of_url(const std::string& url) {
  if (url.empty()) throw Exception(Code::invalid_argument, "the store URL is empty: " + std::string(kAccepted));
  const std::string scheme = scheme_of(url);
  if (!scheme.empty() && scheme != "file") {
    throw Exception(Code::unsupported, "store URL '" + without_secrets(url) + "': scheme '" + scheme +
                                           "' is not supported; " + std::string(kAccepted));
  }
  const std::string path = scheme.empty() ? url : path_of_file_url(url);
  if (path.find('\0') != std::string::npos) refuse(url, "a path cannot hold a NUL byte");
  std::string folder = std::filesystem::absolute(path).lexically_normal().string();
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (folder == "/") refuse(url, "the root of the file system cannot be a store; name a folder");
  return folder;
}

std::string scheme_of(std::string_view url) {
  const std::size_t end = url.find("://");
  if (end == std::string_view::npos || end == 0) return {};
  std::string scheme;
  for (const char c : url.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0 && c != '+' && c != '-' && c != '.') return {};
    scheme += static_cast<char>(std::tolower(byte));
  }
  return scheme;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string percent_encoded(std::string_view text, std::string_view keep) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        byte < 0x80 && (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string::npos);
    if (plain || keep.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string url_of_folder(const std::filesystem::path& folder) {
  return "file://" + percent_encoded(folder.string(), "/");
}

std::string without_secrets(std::string_view url) {
  const std::string scheme = scheme_of(url);
  if (scheme.empty()) return std::string(url);
  const std::size_t host = scheme.size() + 3;
  std::string rest(url.substr(host));
  // A secret need not be encoded properly, so what looks like one hides all the rest.
  if (rest.find('@') != std::string::npos) return std::string(url.substr(0, host)) + "***";
  const std::size_t query = rest.find('?');
  if (query != std::string::npos) rest = rest.substr(0, query) + "?...";
  return std::string(url.substr(0, host)) + rest;
}

}  // namespace reeltag::store
