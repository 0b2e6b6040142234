// A bundle: the folder with all that a model needs to tag a video (docs/adr/0050-bundle-format.md):
//   bundle.json          format version, name, vocabulary, blocks, calibration, thresholds, what it was trained on
//   recipe.yaml          the net and its input
//   weights.safetensors  the net, float16 or float32; absent where no block needs it
//   head.safetensors     the linear head over the blocks; absent where the net's own classifier is the head
//   card.md              the model card
// and the predictor that runs it on a video.
// Bundle, Head: values. Predictor: one thread at a time. A missing or contradictory bundle throws Exception (not_found,
// corrupt); what is wrong with one video comes back as Result.
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

namespace reeltag::model {

class Mvit;

// How a class's logit becomes a score: sigmoid or softmax of scale * logit + shift; shown from the threshold on.
struct Scoring {
  std::vector<double> scale, shift;  // per class; empty: 1 and 0
  std::vector<double> thresholds;    // per class, in [0,1]: below it the model is unsure
};

struct Bundle {
  std::string name;  // "starter", or the run's id
  Recipe recipe;
  std::vector<std::string> vocabulary;             // what the classes mean, in the order of the logits
  bool multi_label = true;                         // scores are independent probabilities; else they sum to 1
  std::vector<std::string> blocks = {kMvitBlock};  // what the head reads
  int image_frames = 4;                            // of a view, for the image encoder's blocks
  Scoring scoring = {};
  // With the image encoder's blocks: how the net's own classifier, over the same vocabulary, tags where the image
  // encoder is not to be had. Nothing: it cannot.
  std::optional<Scoring> without_image_encoder = {};
  std::string trained = "{}";  // JSON object: dataset, run, figures
  std::string card = {};       // Markdown; may be empty

  [[nodiscard]] bool needs(const char* block) const;
  [[nodiscard]] bool needs_image_encoder() const { return needs(kImageMean) || needs(kImageDelta); }
  // The net's own classifier is the head.
  [[nodiscard]] bool plain() const { return blocks == std::vector<std::string>{kMvitBlock}; }
};

// A linear head: logits = weight * features + bias.
struct Head {
  std::vector<std::vector<float>> weight;  // [class][feature]
  std::vector<float> bias;                 // [class]
};

enum class Precision { float32, float16 };

// Writes the folder, which must not hold a bundle yet, whole or not at all. net: where a block or without_image_encoder
// needs it; head: where the bundle is not plain.
void save_bundle(const std::filesystem::path& folder, const Bundle& bundle, const Mvit* net, Precision precision,
                 const Head* head = nullptr);
// Everything but the weights, checked for consistency.
Bundle load_bundle(const std::filesystem::path& folder);
// The net with its weights, in evaluation mode, on the CPU.
Mvit load_net(const std::filesystem::path& folder, const Bundle& bundle);

struct Prediction {
  std::vector<View> views;
  std::vector<std::vector<float>> scores;  // [view][class], in [0,1]
  std::vector<float> mean;                 // [class], averaged over the views
};

// The frames of one video's views, as Extractor::wanted() asks for them.
struct Clips {
  const media::Frames* frames = nullptr;
  const std::vector<View>* views = nullptr;
};

class Predictor {
 public:
  // whole_picture: views keep the picture's shape even where the recipe crops them square.
  // Where the image encoder is missing the bundle falls back on the net alone, and a warning says so.
  explicit Predictor(const std::filesystem::path& folder, bool whole_picture = false);
  ~Predictor();
  Predictor(Predictor&&) noexcept;

  // As it is in force: after a fallback with one block and other thresholds.
  [[nodiscard]] const Bundle& bundle() const;
  // What views stand for a video, and which frames they need; predict() takes those.
  [[nodiscard]] const Extractor& extractor() const;
  Result<Prediction> predict(const media::Frames& frames, const std::vector<View>& views);
  // One prediction for each order of time.
  Result<std::vector<Prediction>> predict(const media::Frames& frames, const std::vector<View>& views,
                                          std::span<const TimeOrder> orders);
  // Several videos in one pass, with frames of one size: one prediction each, in order.
  std::vector<Result<Prediction>> predict(std::span<const Clips> videos);
  // The same from the video: decodes the frames of all views in one pass.
  Result<Prediction> predict(media::Decoder& video, const std::vector<View>& views);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::model
