#include <algorithm>
#include <cmath>

#include "head.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/image_encoder.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

// Returns the bundle, or its fallback on the net alone if the image encoder is missing.
Bundle usable(const fs::path& folder, fs::path& image_encoder) {
  Bundle b = load_bundle(folder);
  if (!b.needs_image_encoder()) return b;
  try {
    image_encoder = find_image_encoder(folder);
  } catch (const Exception& e) {
    if (!b.without_image_encoder || e.code() != Code::not_found) throw;
    log::warning("tagging_without_image_encoder", {{"model", b.name}, {"reason", e.error().message}});
    b.blocks = {kMvitBlock};
    b.scoring = *b.without_image_encoder;
  }
  return b;
}

// Scores in [0,1] from logits.
std::vector<float> scores_of(std::vector<float> logits, const Bundle& bundle) {
  const Scoring& scoring = bundle.scoring;
  for (std::size_t c = 0; c < logits.size() && !scoring.scale.empty(); ++c)
    logits[c] = static_cast<float>(logits[c] * scoring.scale[c] + scoring.shift[c]);
  if (bundle.multi_label) {
    for (float& x : logits) x = 1.0F / (1.0F + std::exp(-x));
    return logits;
  }
  const float most = *std::max_element(logits.begin(), logits.end());
  float sum = 0.0F;
  for (float& x : logits) sum += x = std::exp(x - most);
  for (float& x : logits) x /= sum;
  return logits;
}

}  // namespace

struct Predictor::Impl {
  Bundle bundle;
  Extractor extractor;
  StoredHead head;

  [[nodiscard]] Result<Prediction> prediction(const Features& rows, const std::vector<View>& views) const {
    const std::size_t classes = bundle.vocabulary.size();
    Prediction out{.views = views, .scores = {}, .mean = std::vector<float>(classes, 0.0F)};
    for (std::size_t v = 0; v < views.size(); ++v) {
      out.scores.push_back(scores_of(head.logits(rows[v]), bundle));
      for (std::size_t c = 0; c < classes; ++c) {
        if (!std::isfinite(out.scores[v][c]))
          return fail(Code::corrupt, "the model gives no number for " + bundle.vocabulary[c]);
        out.mean[c] += out.scores[v][c] / static_cast<float>(views.size());
      }
    }
    return out;
  }
};

Predictor::Predictor(const fs::path& folder, bool whole_picture) {
  fs::path image_encoder;
  Bundle bundle = usable(folder, image_encoder);
  Extractor extractor({.blocks = bundle.blocks, .image_frames = bundle.image_frames, .whole_picture = whole_picture},
                      folder, image_encoder);
  StoredHead head = load_head(folder, bundle, extractor.width());
  impl_ = std::make_unique<Impl>(Impl{std::move(bundle), std::move(extractor), std::move(head)});
}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;

const Bundle& Predictor::bundle() const { return impl_->bundle; }
const Extractor& Predictor::extractor() const { return impl_->extractor; }

Result<std::vector<Prediction>> Predictor::predict(const media::Frames& frames, const std::vector<View>& views,
                                                   std::span<const TimeOrder> orders) {
  const auto of_orders = features(frames, views, orders);
  if (!of_orders) return fail(of_orders.error());
  std::vector<Prediction> out;
  for (const auto& rows : *of_orders) {
    auto prediction = score(rows, views);
    if (!prediction) return fail(prediction.error());
    out.push_back(std::move(*prediction));
  }
  return out;
}

Result<std::vector<Features>> Predictor::features(const media::Frames& frames, const std::vector<View>& views,
                                                  std::span<const TimeOrder> orders) {
  return impl_->extractor.features(frames, views.size(), orders);
}

Result<Prediction> Predictor::score(const Features& rows, const std::vector<View>& views) const {
  return impl_->prediction(rows, views);
}

Result<Prediction> Predictor::predict(const media::Frames& frames, const std::vector<View>& views) {
  constexpr TimeOrder kForward = TimeOrder::forward;
  auto all = predict(frames, views, {&kForward, 1});
  if (!all) return fail(all.error());
  return std::move(all->front());
}

std::vector<Result<Prediction>> Predictor::predict(std::span<const Clips> videos) {
  if (videos.size() == 1) return {predict(*videos[0].frames, *videos[0].views)};
  std::vector<Extractor::VideoFrames> parts;
  std::size_t views = 0;
  for (const auto& video : videos) {
    parts.push_back({video.frames, video.views->size()});
    views += video.views->size();
  }
  const auto features = impl_->extractor.features(impl_->extractor.join(parts), views);
  if (!features) return {videos.size(), fail(features.error())};
  std::vector<Result<Prediction>> out;
  auto first = features->begin();
  for (const auto& video : videos) {
    const auto end = first + static_cast<std::ptrdiff_t>(video.views->size());
    out.push_back(impl_->prediction({first, end}, *video.views));
    first = end;
  }
  return out;
}

Result<Prediction> Predictor::predict(media::Decoder& video, const std::vector<View>& views) {
  const auto wanted = impl_->extractor.wanted(views);
  const auto frames = video.frames_at(wanted.times, wanted.scale);
  if (!frames) return fail(frames.error());
  return predict(*frames, views);
}

}  // namespace reeltag::model
