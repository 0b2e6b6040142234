#include "reeltag/model/bundle.hpp"

#include <cmath>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/model/mvit.hpp"
#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int kFormat = 1;
constexpr std::int64_t kMaxText = 16 << 20;  // bytes of bundle.json, recipe.yaml, card.md

[[noreturn]] void corrupt(const fs::path& folder, const std::string& why) {
  throw Exception(Code::corrupt, "bundle " + folder.string() + ": " + why);
}

json header(const Bundle& b) {
  return {{"format", kFormat},
          {"name", b.name},
          {"multi_label", b.multi_label},
          {"vocabulary", b.vocabulary},
          {"thresholds", b.thresholds},
          {"trained", json::parse(b.trained, nullptr, false)}};
}

void check(const fs::path& folder, const Bundle& b) {
  const auto classes = static_cast<std::size_t>(b.recipe.model.num_classes);
  if (b.vocabulary.empty()) corrupt(folder, "the vocabulary is empty");
  if (b.vocabulary.size() != classes) {
    corrupt(folder,
            std::to_string(b.vocabulary.size()) + " hashtags for a net of " + std::to_string(classes) + " classes");
  }
  if (b.thresholds.size() != classes) corrupt(folder, "thresholds and vocabulary differ in number");
  for (const double t : b.thresholds) {
    if (!(t >= 0.0 && t <= 1.0)) corrupt(folder, "a threshold is not between 0 and 1");
  }
}

}  // namespace

void save_bundle(const fs::path& folder, const Bundle& bundle, const Mvit& net, Precision precision) {
  check(folder, bundle);
  if (fs::exists(folder / "bundle.json"))
    throw Exception(Code::already_exists, folder.string() + " holds a bundle already");
  fs::create_directories(folder);
  TensorFile weights;
  for (const auto& [name, tensor] : net.parameters()) {
    weights.tensors.emplace_back(name,
                                 precision == Precision::float16 ? tensor.detach().to(torch::kHalf) : tensor.detach());
  }
  weights.metadata["format"] = "pt";
  write_safetensors(folder / "weights.safetensors", weights);
  write_file(folder / "recipe.yaml", to_yaml(bundle.recipe));
  if (!bundle.card.empty()) write_file(folder / "card.md", bundle.card);
  write_file(folder / "bundle.json", header(bundle).dump(1) + "\n");  // last: without it there is no bundle
}

Bundle load_bundle(const fs::path& folder) {
  const auto text = read_file(folder / "bundle.json", kMaxText);
  if (!text) {
    throw Exception(Code::not_found, "no model in " + folder.string() + " (" + text.error().message + ")");
  }
  const json j = json::parse(*text, nullptr, false);
  Bundle b;
  try {
    if (j.at("format").get<int>() > kFormat)
      corrupt(folder, "written by a newer reeltag (format " + j["format"].dump() + ")");
    b.name = j.at("name").get<std::string>();
    b.multi_label = j.at("multi_label").get<bool>();
    b.vocabulary = j.at("vocabulary").get<std::vector<std::string>>();
    b.thresholds = j.at("thresholds").get<std::vector<double>>();
    b.trained = j.value("trained", json::object()).dump();
  } catch (const json::exception& e) {
    corrupt(folder, std::string("bundle.json is incomplete: ") + e.what());
  }
  b.recipe = load_recipe((folder / "recipe.yaml").string());
  if (const auto card = read_file(folder / "card.md", kMaxText)) b.card = *card;
  check(folder, b);
  return b;
}

Mvit load_net(const fs::path& folder, const Bundle& bundle) {
  torch::NoGradGuard no_grad;
  Mvit net(make_plan(bundle.recipe), 0);
  const TensorFile weights = read_safetensors(folder / "weights.safetensors");
  for (auto& [name, tensor] : net.parameters()) {
    const auto* stored = weights.find(name);
    if (stored == nullptr) corrupt(folder, "the weights lack " + name);
    if (stored->sizes() != tensor.sizes())
      corrupt(folder, "the weights' " + name + " has another shape than the recipe's");
    tensor.copy_(*stored);
  }
  net.set_training(false);
  return net;
}

struct Predictor::Impl {
  Bundle bundle;
  Mvit net;
  ClipSpec spec;

  // Clips [n,3,T,H,W] of views [first, first+n), whose frames lie one after another in `frames`.
  [[nodiscard]] torch::Tensor batch(const media::Frames& frames, std::size_t first, std::size_t n) const {
    const ClipSpec fitted = fit(spec, frames.height, frames.width);
    torch::Tensor clips = torch::empty({static_cast<std::int64_t>(n), 3, spec.frames, fitted.height, fitted.width});
    const CropBox box = test_region(spec, frames.height, frames.width);
    std::vector<int> indices(static_cast<std::size_t>(spec.frames));
    for (std::size_t v = 0; v < n; ++v) {
      for (std::size_t t = 0; t < indices.size(); ++t) indices[t] = static_cast<int>((first + v) * indices.size() + t);
      write_clip(frames, indices, box, false, fitted, clips.mutable_data_ptr<float>() + v * fitted.clip_size());
    }
    return bundle.recipe.is_image() ? clips.squeeze(2) : clips;
  }

  [[nodiscard]] torch::Tensor scores(const torch::Tensor& clips) {
    const torch::Tensor logits = net.forward(clips);
    return (bundle.multi_label ? torch::sigmoid(logits) : torch::softmax(logits, -1)).contiguous();
  }
};

Predictor::Predictor(const fs::path& folder, bool whole_picture) {
  Bundle bundle = load_bundle(folder);
  Mvit net = load_net(folder, bundle);
  ClipSpec spec = clip_spec(bundle.recipe);
  spec.whole_picture |= whole_picture;
  impl_ = std::make_unique<Impl>(Impl{std::move(bundle), std::move(net), spec});
}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;

const Bundle& Predictor::bundle() const { return impl_->bundle; }

Result<Prediction> Predictor::predict(media::Decoder& video, const std::vector<View>& views) {
  torch::NoGradGuard no_grad;
  constexpr std::size_t kBatch = 8;  // views a forward pass
  const std::size_t classes = impl_->bundle.vocabulary.size();
  std::vector<double> times;
  for (const auto& view : views) {
    const auto t = view_times(impl_->spec, view);
    times.insert(times.end(), t.begin(), t.end());
  }
  const auto frames = video.frames_at(times, {.short_side = impl_->spec.short_side});
  if (!frames) return tl::unexpected<Error>(frames.error());
  Prediction out{.views = views, .scores = {}, .mean = std::vector<float>(classes, 0.0F)};
  for (std::size_t first = 0; first < views.size(); first += kBatch) {
    const std::size_t n = std::min(kBatch, views.size() - first);
    const torch::Tensor scores = impl_->scores(impl_->batch(*frames, first, n));
    const float* data = scores.const_data_ptr<float>();
    for (std::size_t v = 0; v < n; ++v) out.scores.emplace_back(data + v * classes, data + (v + 1) * classes);
  }
  for (const auto& row : out.scores) {
    for (std::size_t c = 0; c < classes; ++c) {
      if (!std::isfinite(row[c]))
        return fail(Code::corrupt, "the model gives no number for " + impl_->bundle.vocabulary[c]);
      out.mean[c] += row[c] / static_cast<float>(views.size());
    }
  }
  return out;
}

}  // namespace reeltag::model
