#include "reeltag/tagger.hpp"

#include <limits>

#include "reeltag/model/bundle.hpp"
#include "scorer.hpp"

namespace reeltag::tag {

struct Tagger::Impl {
  model::Predictor predictor;
  TagConfig config;
  std::optional<double> threshold;
};

Tagger::Tagger(const std::filesystem::path& bundle, const TagConfig& config, std::optional<double> threshold)
    : impl_(std::make_unique<Impl>(Impl{model::Predictor(bundle, config.whole_picture), config, threshold})) {}
Tagger::~Tagger() = default;
Tagger::Tagger(Tagger&&) noexcept = default;

const std::string& Tagger::model() const { return impl_->predictor.bundle().name; }

Result<TagResult> Tagger::tag(const std::filesystem::path& video, const media::Limits& limits) {
  auto decoder = media::Decoder::open(video, limits);
  if (!decoder) return fail(decoder.error());
  return tag(**decoder, video.string());
}

Result<TagResult> Tagger::tag(media::Decoder& video, const std::string& name) {
  auto& predictor = impl_->predictor;
  const Plan plan = plan_views(predictor.extractor(), impl_->config, video.probe().duration,
                               std::numeric_limits<std::int64_t>::max());
  const auto prediction = predictor.predict(video, plan.views);
  if (!prediction) return fail(prediction.error());
  TagResult out = choose_tags(predictor.bundle(), plan, *prediction, {impl_->config.top, impl_->threshold});
  out.video = name;
  return out;
}

}  // namespace reeltag::tag
