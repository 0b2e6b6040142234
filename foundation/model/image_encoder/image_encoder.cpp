#include "reeltag/model/image_encoder.hpp"

#include <algorithm>

#include <torch/torch.h>

#include "lite0.hpp"
#include "pictures.hpp"
#include "reeltag/model/checkpoint.hpp"
#include "weights.hpp"

namespace reeltag::model {

struct ImageEncoder::Impl {
  Lite0 net;
};

namespace {

using at::Tensor;
namespace fs = std::filesystem;

// Pictures per pass. More exceed the caches (the widest layer makes 5 MB of each), fewer repeat call overhead: 10.2,
// 9.6, 9.6, 11.2 ms per picture for 2, 4, 8, 16 on one core.
constexpr std::int64_t kBatch = 4;

// Converts libtorch's errors to Exception.
template <class Run>
auto guarded(const Run& run) {
  try {
    return run();
  } catch (const c10::Error& e) {
    throw Exception(Code::internal, std::string("libtorch: ") + e.what_without_backtrace());
  }
}

void check_images(const Tensor& images) {
  const bool right = images.defined() && images.dim() == 4 && images.size(1) == 3 &&
                     images.size(2) == ImageEncoder::kSide && images.size(3) == ImageEncoder::kSide &&
                     images.scalar_type() == torch::kFloat && images.device().is_cpu();
  if (!right)
    throw Exception(Code::invalid_argument, "the image encoder wants float32 images [N,3,224,224] on the CPU");
}

void check_frames(const media::Frames& frames) {
  const bool right = frames.count >= 0 && (frames.count == 0 || (frames.height > 0 && frames.width > 0)) &&
                     frames.data.size() == frames.frame_bytes() * static_cast<std::size_t>(frames.count);
  if (!right) throw Exception(Code::invalid_argument, "the image encoder wants frames whose bytes are [T,H,W,3]");
}

// Collects rows [count,width] from run(first, n), batch by batch, in a tensor made outside inference mode so that
// callers may use it under autograd.
template <class Run>
Tensor in_batches(std::int64_t count, std::int64_t width, const Run& run) {
  const Tensor out = torch::empty({count, width});
  const c10::InferenceMode inference;
  for (std::int64_t first = 0; first < count; first += kBatch) {
    const std::int64_t n = std::min(kBatch, count - first);
    out.narrow(0, first, n).copy_(run(first, n));
  }
  return out;
}

Tensor batch(const Tensor& images, std::int64_t first, std::int64_t n) {
  return images.narrow(0, first, n).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

ImageEncoder::ImageEncoder(const fs::path& weights) {
  check_image_encoder(weights);
  const Checkpoint file = read_checkpoint(weights);
  impl_ = guarded([&] { return std::make_unique<Impl>(Impl{Lite0(file.weights, best_kernels())}); });
}
ImageEncoder::~ImageEncoder() = default;
ImageEncoder::ImageEncoder(ImageEncoder&&) noexcept = default;
ImageEncoder& ImageEncoder::operator=(ImageEncoder&&) noexcept = default;

Tensor ImageEncoder::features(const Tensor& images) const {
  check_images(images);
  return guarded([&] {
    return in_batches(images.size(0), kFeatures,
                      [&](std::int64_t first, std::int64_t n) { return impl_->net.features(batch(images, first, n)); });
  });
}

Tensor ImageEncoder::logits(const Tensor& images) const {
  check_images(images);
  return guarded([&] {
    return in_batches(images.size(0), kClasses, [&](std::int64_t first, std::int64_t n) {
      return impl_->net.logits(impl_->net.features(batch(images, first, n)));
    });
  });
}

Tensor ImageEncoder::features(const media::Frames& frames) const {
  check_frames(frames);
  return guarded([&] {
    return in_batches(frames.count, kFeatures, [&](std::int64_t first, std::int64_t n) {
      return impl_->net.features(pictures(frames, static_cast<int>(first), static_cast<int>(n)));
    });
  });
}

}  // namespace reeltag::model
