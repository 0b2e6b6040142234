#include "reeltag/model/image_encoder.hpp"

#include "lite0.hpp"
#include "pictures.hpp"
#include "weights.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPicture = std::size_t{3} * ImageEncoder::kSide * ImageEncoder::kSide;

void check_frames(const media::Frames& frames) {
  const bool right = frames.count >= 0 && (frames.count == 0 || (frames.height > 0 && frames.width > 0)) &&
                     frames.data.size() == frames.frame_bytes() * static_cast<std::size_t>(frames.count);
  if (!right) throw Exception(Code::invalid_argument, "the image encoder wants frames whose bytes are [T,H,W,3]");
}

}  // namespace

struct ImageEncoder::Impl {
  infer::CompiledNet net;

  // Rows [N,width] of an output, picture by picture: more in a pass are no faster.
  [[nodiscard]] std::vector<float> rows(std::span<const float> pictures, const char* output, std::size_t width) const {
    if (pictures.size() % kPicture != 0)
      throw Exception(Code::invalid_argument, "the image encoder wants pictures [N,3,224,224]");
    std::vector<float> out(pictures.size() / kPicture * width);
    for (std::size_t i = 0; i * kPicture < pictures.size(); ++i)
      net.run({{"picture", pictures.subspan(i * kPicture, kPicture)}},
              {{output, std::span(out).subspan(i * width, width)}});
    return out;
  }
};

ImageEncoder::ImageEncoder(const fs::path& weights, int threads) {
  check_image_encoder(weights);
  impl_ =
      std::make_unique<Impl>(Impl{infer::CompiledNet(lite0_graph(read_image_encoder(weights)), {.threads = threads})});
}
ImageEncoder::~ImageEncoder() = default;
ImageEncoder::ImageEncoder(ImageEncoder&&) noexcept = default;
ImageEncoder& ImageEncoder::operator=(ImageEncoder&&) noexcept = default;

std::vector<float> ImageEncoder::features(std::span<const float> pictures) const {
  return impl_->rows(pictures, "features", kFeatures);
}

std::vector<float> ImageEncoder::logits(std::span<const float> pictures) const {
  return impl_->rows(pictures, "logits", kClasses);
}

std::vector<float> ImageEncoder::features(const media::Frames& frames) const {
  check_frames(frames);
  std::vector<float> out, picture(kPicture);
  for (int t = 0; t < frames.count; ++t) {
    write_picture(frames.frame(t), frames.height, frames.width, picture);
    const auto row = features(picture);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

}  // namespace reeltag::model
