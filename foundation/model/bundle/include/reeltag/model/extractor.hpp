// Computes the features that a head reads from a video's frames, in named blocks (docs/adr/0058-feature-blocks.md):
//   mvit         the embedding of an MViT, after its norm
//   image.mean   the image encoder's features, averaged over the frames of a view
//   image.delta  their mean absolute difference from one frame to the next
// Training, evaluation and tagging all use this class, so a feature means the same everywhere. The header needs no
// libtorch. Not thread-safe: one thread at a time. Owns the nets that it loads. A missing or invalid bundle or image
// encoder throws Exception (not_found, corrupt, invalid_config).
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

// The order in which the frames of a view are fed to the net. A score that stays the same in all four orders does not
// depend on motion.
enum class TimeOrder { forward, repeated, shuffled, reversed };

struct ExtractorOptions {
  std::vector<std::string> blocks = {kMvitBlock};
  int image_frames = 4;        // per view
  bool whole_picture = false;  // the MViT sees the whole picture even where its recipe crops a square
  int short_side = 0;          // pixels; minimum decode size, for use beside blocks that need larger frames
  int threads = 0;             // of the nets; 0: one per core
};

using Features = std::vector<std::vector<float>>;  // [view][width]

// Where a store keeps a video's features, float32 little-endian: "features/<extractor>/<video>.f32", with "-repeated"
// and so on behind the extractor's id for frames in another order. extractor: Extractor::id().
std::string feature_key(const std::string& extractor, const std::string& video, TimeOrder order = TimeOrder::forward);

class Extractor {
 public:
  // net: a bundle's folder, read if a block needs its MViT. image_encoder: a weights file, read if a block needs it.
  Extractor(const ExtractorOptions& options, const std::filesystem::path& net,
            const std::filesystem::path& image_encoder);
  ~Extractor();
  Extractor(Extractor&&) noexcept;
  Extractor& operator=(Extractor&&) noexcept;

  // Names and widths of the blocks, in the column order of the features.
  struct Block {
    std::string name;
    int width = 0;
  };
  [[nodiscard]] const std::vector<Block>& blocks() const;
  [[nodiscard]] int width() const;
  // Short side in pixels that frames are decoded to with these options. Reads the net's recipe, not its weights.
  static int decoded_side(const ExtractorOptions& options, const std::filesystem::path& net);
  // 16 hexadecimal digits that identify everything that a video's features depend on.
  [[nodiscard]] const std::string& id() const;

  // The views whose averaged features represent the video: one view over all of it, or, for nets that read frames at a
  // fixed rate, as many as the recipe tests with.
  [[nodiscard]] std::vector<View> whole(double duration) const;
  // True if whole() is one view over all of the video.
  [[nodiscard]] bool spans_video() const;

  // Returns the frames that features() needs for these views, as arguments of media::Decoder::frames_at.
  struct FramePlan {
    std::vector<double> times;
    media::Scale scale;
  };
  [[nodiscard]] FramePlan wanted(std::span<const View> views) const;
  // Concatenates the frames of several videos, all of one size. features() of the result returns the rows of the first
  // video, then those of the second, and so on. Frame times serve only to tell the videos apart.
  struct VideoFrames {
    const media::Frames* frames = nullptr;
    std::size_t views = 0;
  };
  [[nodiscard]] media::Frames join(std::span<const VideoFrames> videos) const;
  // Computes features from the frames of wanted(), in each time order. Work that does not depend on the order is done
  // once. Fails if a feature is not finite.
  Result<std::vector<Features>> features(const media::Frames& frames, std::size_t views,
                                         std::span<const TimeOrder> orders);
  Result<Features> features(const media::Frames& frames, std::size_t views);  // forward

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::model
