// From a video's frames to the features that a head reads, in named blocks (docs/adr/0058-feature-blocks.md):
//   mvit            the embedding of an MViT, after its norm
//   image.mean    the image encoder's features, averaged over the frames of a view
//   image.delta  their mean absolute difference from one frame to the next
// Training, evaluation and tagging take the same road, so that a feature means the same everywhere. Torch stays inside.
// One thread at a time. A missing bundle or image encoder throws Exception (not_found, corrupt, invalid_config).
//
//   model::Extractor extractor({.blocks = {"mvit", "image.mean"}}, "models/starter", model::find_image_encoder({}));
//   const auto views = extractor.whole(duration);
//   const auto wanted = extractor.wanted(views);
//   auto rows = extractor.features(*decoder.frames_at(wanted.times, wanted.scale), views.size());
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/media.hpp"
#include "reeltag/model/input.hpp"

namespace reeltag::model {

inline constexpr const char* kMvitBlock = "mvit";
inline constexpr const char* kImageMean = "image.mean";
inline constexpr const char* kImageDelta = "image.delta";

// The order in which the frames of a view are shown. A score that survives all four owes nothing to motion.
enum class TimeOrder { forward, repeated, shuffled, reversed };

struct ExtractorOptions {
  std::vector<std::string> blocks = {kMvitBlock};
  int image_frames = 4;        // of a view
  bool whole_picture = false;  // the MViT sees the picture's own shape even where its recipe crops a square
  int short_side = 0;          // pixels; frames are decoded at least so large, as beside blocks that need them so
};

using Features = std::vector<std::vector<float>>;  // [view][width]

class Extractor {
 public:
  // net: a bundle's folder, read where a block needs its MViT; image encoder: its weights, read where a block needs
  // them.
  Extractor(const ExtractorOptions& options, const std::filesystem::path& net,
            const std::filesystem::path& image_encoder);
  ~Extractor();
  Extractor(Extractor&&) noexcept;
  Extractor& operator=(Extractor&&) noexcept;

  // Names and widths of the blocks, in the order of the features.
  struct Block {
    std::string name;
    int width = 0;
  };
  [[nodiscard]] const std::vector<Block>& blocks() const;
  [[nodiscard]] int width() const;
  // Pixels of the short side that frames are decoded to for these options. Reads the net's recipe, no weights.
  static int decoded_side(const ExtractorOptions& options, const std::filesystem::path& net);
  // 16 hexadecimal digits of all that the features of a video depend on.
  [[nodiscard]] const std::string& id() const;

  // The views whose average stands for the video: one that spans it, or, for nets that read frames at a fixed rate, as
  // many as the recipe tests with.
  [[nodiscard]] std::vector<View> whole(double duration) const;
  // Whether that is one view.
  [[nodiscard]] bool spans_video() const;

  // Which frames features() needs for these views, for media::Decoder::frames_at.
  struct FramePlan {
    std::vector<double> times;
    media::Scale scale;
  };
  [[nodiscard]] FramePlan wanted(std::span<const View> views) const;
  // The frames of several videos, all of one size, as if they were those of one: features() of them gives the rows of
  // the first, then those of the second. Their times only tell them apart.
  struct VideoFrames {
    const media::Frames* frames = nullptr;
    std::size_t views = 0;
  };
  [[nodiscard]] media::Frames join(std::span<const VideoFrames> videos) const;
  // From the frames of wanted(); in each order of time. What does not depend on the order is computed once. Fails when
  // a feature is no number.
  Result<std::vector<Features>> features(const media::Frames& frames, std::size_t views,
                                         std::span<const TimeOrder> orders);
  Result<Features> features(const media::Frames& frames, std::size_t views);  // forward

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::model
