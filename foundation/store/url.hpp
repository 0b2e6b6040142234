// Parses and formats store URLs. Functions; any thread. Private to the store.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace reeltag::store {

// The folder of a "file:///abs/path" URL (percent-encoded) or of a plain path (taken literally), absolute and without
// "." and "..". Throws unsupported for another scheme, invalid_argument if it cannot be a folder.
std::filesystem::path folder_of_url(const std::string& url);

// "file:///abs/path" with all but unreserved characters percent-encoded.
std::string url_of_folder(const std::filesystem::path& folder);

// "s3" of "S3://..."; empty for a plain path.
std::string scheme_of(std::string_view url);

// Removes possible passwords: "s3://KEY:SECRET@bucket" becomes "s3://***", a query is cut off.
std::string without_secrets(std::string_view url);

}  // namespace reeltag::store
