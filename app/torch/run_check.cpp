// models check: does a model load, and answer? A drawn picture is enough: what is asked is whether numbers come out.
#include <cmath>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/model/bundle.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

constexpr double kSeconds = 2.0;  // of the drawn video
constexpr int kSide = 256;        // pixels, where the model does not say

// A gradient that moves from frame to frame.
media::Frames drawn(const model::Extractor::FramePlan& wanted) {
  const int side = wanted.scale.short_side > 0 ? wanted.scale.short_side : kSide;
  media::Frames frames{
      .count = static_cast<int>(wanted.times.size()), .height = side, .width = side, .data = {}, .times = wanted.times};
  frames.data.reserve(frames.frame_bytes() * wanted.times.size());
  for (int t = 0; t < frames.count; ++t) {
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        for (const int value : {x + 8 * t, y, x + y}) frames.data.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  return frames;
}

// The number of hashtags that got a score.
std::size_t scores_of(const fs::path& folder) {
  model::Predictor predictor(folder);
  const auto views = predictor.extractor().whole(kSeconds);
  const auto prediction = value_or_throw(predictor.predict(drawn(predictor.extractor().wanted(views)), views));
  const std::string model = "model " + folder.string();
  if (prediction.mean.size() != predictor.bundle().vocabulary.size())
    throw Exception(Code::corrupt, model + " gives " + std::to_string(prediction.mean.size()) + " scores for " +
                                       std::to_string(predictor.bundle().vocabulary.size()) + " hashtags");
  for (const float score : prediction.mean) {
    if (!(score >= 0.0F && score <= 1.0F)) throw Exception(Code::corrupt, model + " gives a score that is none");
  }
  return prediction.mean.size();
}

// A model may be larger than the memory.
std::size_t guarded_scores_of(const fs::path& folder) {
  try {
    return scores_of(folder);
  } catch (const std::bad_alloc&) {
    throw Exception(Code::unavailable, "model " + folder.string() + ": out of memory");
  }
}

}  // namespace

void run_check(Context& context, const CheckArguments& a) {
  context.start();
  const auto folder = find_model(context.home(), a.model);
  const auto hashtags = guarded_scores_of(folder);
  if (context.json) {
    return print(nlohmann::ordered_json{{"folder", folder.string()}, {"hashtags", hashtags}}.dump());
  }
  print(folder.string() + " loads and scores " + std::to_string(hashtags) + " hashtags");
}

}  // namespace reeltag::app
