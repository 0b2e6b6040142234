// The URLs that name a store.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace reeltag::store {

// The folder that a "file:///abs/path" URL (percent-encoded) or a plain path (taken as it is) names, absolute and
// without "." and "..". Throws unsupported for another scheme, invalid_argument for what cannot be a folder.
std::filesystem::path folder_of_url(const std::string& url);

// "file:///abs/path" with everything but unreserved characters percent-encoded.
std::string url_of_folder(const std::filesystem::path& folder);

// "s3" of "S3://..."; empty for a plain path.
std::string scheme_of(std::string_view url);

// The URL without what may be a password: "s3://KEY:SECRET@bucket" becomes "s3://***", a query is cut.
std::string without_secrets(std::string_view url);

}  // namespace reeltag::store
