// Reads, writes and runs bundles. A bundle is the folder with all that a model needs to tag a video
// (docs/adr/0050-bundle-format.md):
//   bundle.json          format version, name, vocabulary, blocks, calibration, thresholds, training facts
//   recipe.yaml          the net and its input
//   weights.safetensors  the net, float16 or float32; absent where no block needs it
//   head.safetensors     the linear head over the blocks; absent where the net's own classifier is the head
//   card.md              the model card
// Bundle and Head are values; the functions are thread-safe. A Predictor owns its net, head and image encoder and is
// used by one thread at a time. A missing or inconsistent bundle throws Exception (not_found, corrupt); a failure of
// one video is returned as Result.
//
//   model::Predictor predictor("models/starter");
//   auto video = media::Decoder::open("clip.mp4", {});
//   auto prediction = predictor.predict(**video, model::cover(duration, 2.0, 30));
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/media.hpp"
#include "reeltag/model/extractor.hpp"
#include "reeltag/model/input.hpp"
#include "reeltag/model/recipe.hpp"
#include "reeltag/model/weights.hpp"

namespace reeltag::model {

// Maps a class's logit to its score: sigmoid or softmax of scale * logit + shift. A tag is shown from its threshold on.
struct Scoring {
  std::vector<double> scale, shift;  // per class; empty: scale 1, shift 0
  std::vector<double> thresholds;    // per class, in [0,1]; below it the model is unsure
};

struct Bundle {
  std::string name;  // "starter", or the run's id
  Recipe recipe;
  std::vector<std::string> vocabulary;             // hashtag of each class, in the order of the logits
  bool multi_label = true;                         // scores are independent probabilities; else they sum to 1
  std::vector<std::string> blocks = {kMvitBlock};  // the head's input
  int image_frames = 4;                            // per view, for the image encoder's blocks
  Scoring scoring = {};
  // For bundles with image-encoder blocks: scoring of the net's own classifier, over the same vocabulary, used when the
  // image encoder is not installed. Unset: no such fallback.
  std::optional<Scoring> without_image_encoder = {};
  std::string trained = "{}";  // JSON object: dataset, run, figures
  std::string card = {};       // Markdown; may be empty

  [[nodiscard]] bool needs(const char* block) const;
  [[nodiscard]] bool needs_image_encoder() const { return needs(kImageMean) || needs(kImageDelta); }
  // True if the net's own classifier is the head.
  [[nodiscard]] bool plain() const { return blocks == std::vector<std::string>{kMvitBlock}; }
};

// A linear head: logits = weight * features + bias.
struct Head {
  std::vector<std::vector<float>> weight;  // [class][feature]
  std::vector<float> bias;                 // [class]
};

// Writes the folder atomically; it must not hold a bundle yet. net: the weights of its MViT, required if a block or
// without_image_encoder needs it; head is required unless the bundle is plain.
void save_bundle(const std::filesystem::path& folder, const Bundle& bundle, const NamedArrays* net, Precision precision,
                 const Head* head = nullptr);
// Loads everything but the weights and checks it for consistency.
Bundle load_bundle(const std::filesystem::path& folder);
// The weights of its MViT; throws Exception(unsupported) for a bundle that has none.
Weights load_net_weights(const std::filesystem::path& folder, const Bundle& bundle);

struct Prediction {
  std::vector<View> views;
  std::vector<std::vector<float>> scores;  // [view][class], in [0,1]
  std::vector<float> mean;                 // [class], averaged over the views
};

// The decoded frames of one video's views, as requested by Extractor::wanted().
struct Clips {
  const media::Frames* frames = nullptr;
  const std::vector<View>* views = nullptr;
};

class Predictor {
 public:
  // whole_picture: views keep the picture's aspect ratio even where the recipe crops them square. If the image encoder
  // is missing, the predictor falls back to the net alone and logs a warning.
  explicit Predictor(const std::filesystem::path& folder, bool whole_picture = false);
  ~Predictor();
  Predictor(Predictor&&) noexcept;

  // The effective bundle: after a fallback it has one block and other thresholds.
  [[nodiscard]] const Bundle& bundle() const;
  // Chooses a video's views and lists the frames that they need, which are the input of predict().
  [[nodiscard]] const Extractor& extractor() const;
  Result<Prediction> predict(const media::Frames& frames, const std::vector<View>& views);
  // Returns one prediction per time order.
  Result<std::vector<Prediction>> predict(const media::Frames& frames, const std::vector<View>& views,
                                          std::span<const TimeOrder> orders);
  // predict() in two steps, for those who keep the features: those of each time order, and the scores from such rows.
  Result<std::vector<Features>> features(const media::Frames& frames, const std::vector<View>& views,
                                         std::span<const TimeOrder> orders);
  [[nodiscard]] Result<Prediction> score(const Features& rows, const std::vector<View>& views) const;
  // Runs several videos, with frames of one size, in one pass. Returns one prediction each, in order.
  std::vector<Result<Prediction>> predict(std::span<const Clips> videos);
  // Decodes the frames of all views in one pass, then predicts.
  Result<Prediction> predict(media::Decoder& video, const std::vector<View>& views);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::model
