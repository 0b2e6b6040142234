// The token by which programs of this machine act as the owner "local": the file HOME/local.token, which only the
// home's user can read. A server cannot tell a program of its machine from a proxy on it, so an address proves nothing.
// Private to serve. One server per home calls it (home_lock.hpp). Exception as write_file() throws.
//
//   curl -H "Authorization: Bearer $(cat ~/.reeltag/local.token)" -F file=@clip.mp4 http://127.0.0.1:8080/v1/videos
#pragma once

#include <filesystem>
#include <string>

namespace reeltag::serve {

inline constexpr const char* kLocalTokenFile = "local.token";

// The home's token. Makes one if there is none, and another if users other than the owner could read or write the file.
std::string local_token(const std::filesystem::path& home);

}  // namespace reeltag::serve
