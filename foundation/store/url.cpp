#include "url.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "reeltag/base/error.hpp"
#include "reeltag/base/percent.hpp"

namespace reeltag::store {
namespace {

constexpr std::string_view kAccepted = "use s3://bucket/prefix, file:///absolute/path or a plain path";

[[noreturn]] void refuse_url(const std::string& url, const std::string& why) {
  throw Exception(Code::invalid_argument, "store URL '" + without_secrets(url) + "': " + why);
}

std::string path_of_file_url(const std::string& url) {
  std::string_view rest = std::string_view(url).substr(std::string_view("file://").size());
  constexpr std::string_view kLocalhost = "localhost/";
  if (rest.starts_with(kLocalhost)) rest.remove_prefix(kLocalhost.size() - 1);
  if (!rest.starts_with('/'))
    refuse_url(url, "a file URL has three slashes and an absolute path: file:///home/me/store");
  if (rest.find_first_of("?#") != std::string_view::npos) {
    refuse_url(url, "a file URL has no options; write '?' as %3F and '#' as %23 in a path");
  }
  const auto path = percent_decoded(rest);
  if (!path) refuse_url(url, "'%' must be followed by two hex digits; write '%' itself as %25");
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
  if (path.find('\0') != std::string::npos) refuse_url(url, "a path cannot hold a NUL byte");
  std::string folder = std::filesystem::absolute(path).lexically_normal().string();
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (folder == "/") refuse_url(url, "the root of the file system cannot be a store; name a folder");
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

std::string url_of_folder(const std::filesystem::path& folder) {
  return "file://" + percent_encoded(folder.string(), "/");
}

std::string without_secrets(std::string_view url) {
  const std::string scheme = scheme_of(url);
  if (scheme.empty()) return std::string(url);
  const std::size_t host = scheme.size() + 3;
  std::string rest(url.substr(host));
  // A secret may be badly encoded, so anything that looks like one hides the rest.
  if (rest.find('@') != std::string::npos) return std::string(url.substr(0, host)) + "***";
  const std::size_t query = rest.find('?');
  if (query != std::string::npos) rest = rest.substr(0, query) + "?...";
  return std::string(url.substr(0, host)) + rest;
}

}  // namespace reeltag::store
