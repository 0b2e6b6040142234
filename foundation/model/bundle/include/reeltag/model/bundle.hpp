// A bundle: the folder with all that a model needs to tag a video (docs/adr/0050-bundle-format.md):
//   bundle.json  format version, name, vocabulary, thresholds, what it was trained on
//   recipe.yaml  the net and its input
//   weights.safetensors (float16 or float32)
//   card.md      the model card
// and the predictor that runs it on a video.
// Bundle: a value. Predictor: one thread at a time. A missing or contradictory bundle throws Exception (not_found,
// corrupt); what is wrong with one video comes back as Result.
//
//   model::Predictor predictor("models/starter");
//   auto video = media::Decoder::open("clip.mp4", {});
//   auto prediction = predictor.predict(**video, model::cover(duration, 2.0, 30));
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "reeltag/base/error.hpp"
#include "reeltag/media.hpp"
#include "reeltag/model/input.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::model {

class Mvit;

struct Bundle {
  std::string name;  // "starter", or the run's id
  Recipe recipe;
  std::vector<std::string> vocabulary;  // what the classes mean, in the order of the logits
  bool multi_label = true;              // scores are independent probabilities; else they sum to 1
  std::vector<double> thresholds;       // per class: below it the model is unsure
  std::string trained = "{}";           // JSON object: dataset, run, figures
  std::string card;                     // Markdown; may be empty
};

enum class Precision { float32, float16 };

// Writes the folder, which must not hold a bundle yet, whole or not at all.
void save_bundle(const std::filesystem::path& folder, const Bundle& bundle, const Mvit& net, Precision precision);
// Everything but the weights, checked for consistency.
Bundle load_bundle(const std::filesystem::path& folder);
// The net with its weights, in evaluation mode, on the CPU.
Mvit load_net(const std::filesystem::path& folder, const Bundle& bundle);

struct Prediction {
  std::vector<View> views;
  std::vector<std::vector<float>> scores;  // [view][class], in [0,1]
  std::vector<float> mean;                 // [class], averaged over the views
};

class Predictor {
 public:
  // whole_picture: views keep the picture's shape even where the recipe crops them square.
  explicit Predictor(const std::filesystem::path& folder, bool whole_picture = false);
  ~Predictor();
  Predictor(Predictor&&) noexcept;

  [[nodiscard]] const Bundle& bundle() const;
  // Decodes the frames of all views in one pass and runs them in batches.
  Result<Prediction> predict(media::Decoder& video, const std::vector<View>& views);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::model
