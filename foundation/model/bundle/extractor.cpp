#include "reeltag/model/extractor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include <torch/torch.h>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/image_encoder.hpp"
#include "reeltag/model/mvit.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;
namespace fs = std::filesystem;

constexpr int kBatch = 8;  // views per forward pass

// Index of the i-th frame of a view in each order. The shuffle is the same for every video: a fixed stride coprime to
// the number of frames visits each frame once and separates neighbours.
int shown(TimeOrder order, int i, int frames) {
  switch (order) {
    case TimeOrder::repeated:
      return frames / 2;
    case TimeOrder::reversed:
      return frames - 1 - i;
    case TimeOrder::shuffled: {
      int stride = std::max(1, frames * 3 / 8);
      while (std::gcd(stride, frames) != 1) ++stride;
      return static_cast<int>((static_cast<std::int64_t>(i) * stride + frames / 2) % frames);
    }
    case TimeOrder::forward:
      break;
  }
  return i;
}

// Times of the image encoder's frames. They lie on one grid for all views of a length, so overlapping views share
// frames.
std::vector<double> image_times(const View& view, int frames) {
  const double step = std::max(1e-6, (view.end - view.start) / frames);
  const double first = std::floor(view.start / step + 0.5);
  std::vector<double> times;
  for (int i = 0; i < frames; ++i) times.push_back((first + i + 0.5) * step);
  return times;
}

void check(const std::vector<std::string>& blocks) {
  if (blocks.empty()) throw Exception(Code::invalid_config, "a model needs at least one block of features");
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto& name = blocks[i];
    if (name != kMvitBlock && name != kImageMean && name != kImageDelta) {
      throw Exception(Code::invalid_config, "no block of features is called " + name + "; there are " + kMvitBlock +
                                                ", " + kImageMean + " and " + kImageDelta);
    }
    if (std::find(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(i), name) !=
        blocks.begin() + static_cast<std::ptrdiff_t>(i))
      throw Exception(Code::invalid_config, "the block " + name + " is named twice");
  }
}

// Whether all pixels of the RGB frame have nearly one colour: in each channel a standard deviation below 2.5 of 255,
// which noise and compression leave of black. Looks at every eleventh pixel.
bool is_blank(std::span<const std::uint8_t> pixels) {
  constexpr std::size_t kStep = 3 * std::size_t{11};
  constexpr double kDeviation = 2.5;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    double sum = 0.0, squares = 0.0, count = 0.0;
    for (std::size_t i = channel; i < pixels.size(); i += kStep) {
      const double value = pixels[i];
      sum += value;
      squares += value * value;
      ++count;
    }
    if (count > 0 && squares / count - (sum / count) * (sum / count) > kDeviation * kDeviation) return false;
  }
  return true;
}

// The mean of x [V,N,W] over N with the weights w [V,N,1]; 0 where all weights are.
Tensor mean_of(const Tensor& x, const Tensor& w) { return (x * w).sum(1) / w.sum(1).clamp_min(1.0); }

}  // namespace

struct Extractor::Impl {
  ExtractorOptions options;
  ClipSpec spec;  // of the net
  int whole_views = 1;
  int side = 0;  // decode size in pixels: the larger of the net's and the image encoder's
  std::optional<Mvit> net;
  std::optional<ImageEncoder> image_encoder;
  std::vector<Block> blocks;
  std::string id;

  [[nodiscard]] int net_frames() const { return net ? spec.frames : 0; }
  [[nodiscard]] int image_frames() const { return image_encoder ? options.image_frames : 0; }

  void load_net(const fs::path& folder) {
    const Bundle bundle = load_bundle(folder);
    net.emplace(model::load_net(folder, bundle));
    spec = clip_spec(bundle.recipe);
    spec.whole_picture |= options.whole_picture;
    whole_views = spec.uniform ? 1 : std::max(1, bundle.recipe.test.num_ensemble_views);
  }

  // Features [V,width] of the views' clips, whose frames are consecutive from the start of `frames`.
  [[nodiscard]] Tensor embed(const media::Frames& frames, int views, TimeOrder order) {
    const ClipSpec fitted = fit(spec, frames.height, frames.width);
    const CropBox box = test_region(spec, frames.height, frames.width);
    std::vector<Tensor> out;
    for (int first = 0; first < views; first += kBatch) {
      const int n = std::min(kBatch, views - first);
      Tensor clips = torch::empty({n, 3, spec.frames, fitted.height, fitted.width});
      std::vector<int> indices(static_cast<std::size_t>(spec.frames));
      for (int v = 0; v < n; ++v) {
        for (int t = 0; t < spec.frames; ++t)
          indices[static_cast<std::size_t>(t)] = (first + v) * spec.frames + shown(order, t, spec.frames);
        write_clip(frames, indices, box, false, fitted,
                   clips.mutable_data_ptr<float>() + static_cast<std::size_t>(v) * fitted.clip_size());
      }
      out.push_back(net->embed(net->plan().recipe.is_image() ? clips.squeeze(2) : clips));
    }
    return torch::cat(out);
  }

  // Features [V*image_frames,1280] of the frames after those of the net. A frame shared by several views is computed
  // once.
  [[nodiscard]] Tensor image_features(const media::Frames& frames, int views) {
    const int first = views * net_frames(), count = views * image_frames();
    std::map<double, std::int64_t> row_of;  // by presentation time
    std::vector<std::int64_t> rows;
    media::Frames distinct{.count = 0, .height = frames.height, .width = frames.width, .data = {}, .times = {}};
    for (int i = first; i < first + count; ++i) {
      const double time = frames.times[static_cast<std::size_t>(i)];
      const auto [it, fresh] = row_of.emplace(time, distinct.count);
      rows.push_back(it->second);
      if (!fresh) continue;
      const auto pixels = frames.frame(i);
      distinct.data.insert(distinct.data.end(), pixels.begin(), pixels.end());
      distinct.times.push_back(time);
      ++distinct.count;
    }
    const auto values = image_encoder->features(distinct);
    return torch::tensor(values).view({distinct.count, ImageEncoder::kFeatures}).index_select(0, torch::tensor(rows));
  }

  // Inputs of the blocks, independent of the time order.
  struct ViewFeatures {
    media::Frames net_frames;
    Tensor images;  // [V,image_frames,1280]
    Tensor shown;   // [V,image_frames,1]: 1 for a frame that shows something, 0 for one of a single colour
  };
  [[nodiscard]] ViewFeatures look(const media::Frames& frames, int views) {
    ViewFeatures seen;
    if (net) seen.net_frames = for_net(frames, views);
    if (image_encoder) {
      seen.images = image_features(frames, views).view({views, image_frames(), -1});
      seen.shown = shown_frames(frames, views);
    }
    return seen;
  }

  // Black between two scenes, behind a film's end or before its beginning says nothing of the video: such frames do not
  // count in an average, unless the view has no others.
  [[nodiscard]] Tensor shown_frames(const media::Frames& frames, int views) const {
    const int first = views * net_frames(), n = image_frames();
    Tensor out = torch::ones({views, n, 1});
    for (int v = 0; v < views; ++v) {
      for (int i = 0; i < n; ++i) {
        if (is_blank(frames.frame(first + v * n + i))) out[v][i][0] = 0.0F;
      }
      if (out[v].sum().item<float>() == 0.0F) out[v].fill_(1.0F);
    }
    return out;
  }

  // Features [V,width] of the views with their frames in this order.
  [[nodiscard]] Tensor all(const ViewFeatures& seen, int views, TimeOrder order) {
    std::map<std::string, Tensor> by_name;
    if (net) by_name[kMvitBlock] = embed(seen.net_frames, views, order);
    if (image_encoder) {
      const int n = image_frames();
      std::vector<std::int64_t> shuffle;
      for (int i = 0; i < n; ++i) shuffle.push_back(shown(order, i, n));
      const Tensor f = seen.images.index_select(1, torch::tensor(shuffle));
      const Tensor shown = seen.shown.index_select(1, torch::tensor(shuffle));
      by_name[kImageMean] = mean_of(f, shown);
      by_name[kImageDelta] =
          n > 1 ? mean_of((f.slice(1, 1) - f.slice(1, 0, n - 1)).abs(), shown.slice(1, 1) * shown.slice(1, 0, n - 1))
                : torch::zeros_like(by_name[kImageMean]);
    }
    std::vector<Tensor> parts;
    for (const auto& block : blocks) parts.push_back(by_name.at(block.name));
    return torch::cat(parts, 1).contiguous();
  }

  // The net's frames, at its training size.
  [[nodiscard]] media::Frames for_net(const media::Frames& frames, int views) const {
    const auto count = static_cast<std::size_t>(views * net_frames());
    media::Frames own{
        .count = static_cast<int>(count), .height = frames.height, .width = frames.width, .data = {}, .times = {}};
    own.data.assign(frames.data.begin(),
                    frames.data.begin() + static_cast<std::ptrdiff_t>(count * frames.frame_bytes()));
    own.times.assign(frames.times.begin(), frames.times.begin() + static_cast<std::ptrdiff_t>(count));
    if (std::min(own.height, own.width) == spec.short_side) return own;
    return value_or_throw(media::resize(own, {.short_side = spec.short_side}));
  }
};

std::string feature_key(const std::string& extractor, const std::string& video, TimeOrder order) {
  constexpr std::array<const char*, 4> kOrders{"", "-repeated", "-shuffled", "-reversed"};
  return "features/" + extractor + kOrders.at(static_cast<std::size_t>(order)) + "/" + video + ".f32";
}

Extractor::Extractor(const ExtractorOptions& options, const fs::path& net, const fs::path& image_encoder)
    : impl_(std::make_unique<Impl>()) {
  check(options.blocks);
  impl_->options = options;
  std::string identity = "2";  // version of this file's feature computation
  for (const auto& name : options.blocks) {
    identity += " " + name;
    if (name == kMvitBlock) {
      impl_->load_net(net);
      impl_->blocks.push_back({name, impl_->net->plan().dim_out});
      identity += " " + hex(value_or_throw(sha256_file(net / "weights.safetensors"))) + " " +
                  hex(value_or_throw(sha256_file(net / "recipe.yaml"))) + (options.whole_picture ? " whole" : "");
    } else {
      if (!impl_->image_encoder) impl_->image_encoder.emplace(image_encoder, options.threads);
      impl_->blocks.push_back({name, ImageEncoder::kFeatures});
      identity += " " + std::to_string(options.image_frames) + " " + std::string(lite0().sha256);
    }
  }
  if (options.image_frames < 1) throw Exception(Code::invalid_config, "the image encoder needs at least one frame");
  impl_->side = decoded_side(options, net);
  identity += " " + std::to_string(impl_->side);
  impl_->id = hex(sha256(identity)).substr(0, 16);
}

int Extractor::decoded_side(const ExtractorOptions& options, const fs::path& net) {
  check(options.blocks);
  int side = options.short_side;
  for (const auto& name : options.blocks)
    side = std::max(side, name == kMvitBlock ? clip_spec(load_bundle(net).recipe).short_side : ImageEncoder::kSide);
  return side;
}

Extractor::~Extractor() = default;
Extractor::Extractor(Extractor&&) noexcept = default;
Extractor& Extractor::operator=(Extractor&&) noexcept = default;

const std::vector<Extractor::Block>& Extractor::blocks() const { return impl_->blocks; }
const std::string& Extractor::id() const { return impl_->id; }
int Extractor::width() const {
  int sum = 0;
  for (const auto& block : impl_->blocks) sum += block.width;
  return sum;
}

bool Extractor::spans_video() const { return !impl_->net || impl_->spec.uniform; }

std::vector<View> Extractor::whole(double duration) const {
  if (spans_video()) return {{0.0, duration}};
  return cover(duration, impl_->spec.step * impl_->spec.frames, impl_->whole_views);
}

Extractor::FramePlan Extractor::wanted(std::span<const View> views) const {
  FramePlan out;
  out.scale.short_side = impl_->side;
  if (impl_->net) {
    for (const auto& view : views) {
      const auto times = view_times(impl_->spec, view);
      out.times.insert(out.times.end(), times.begin(), times.end());
    }
  }
  if (impl_->image_encoder) {
    for (const auto& view : views) {
      const auto times = image_times(view, impl_->options.image_frames);
      out.times.insert(out.times.end(), times.begin(), times.end());
    }
  }
  return out;
}

media::Frames Extractor::join(std::span<const VideoFrames> videos) const {
  // image_features() identifies frames by their times, so each video's times get an offset.
  constexpr double kApart = 1e7;  // seconds; longer than any video
  media::Frames out{
      .count = 0, .height = videos[0].frames->height, .width = videos[0].frames->width, .data = {}, .times = {}};
  const auto append = [&](std::size_t i, std::size_t first, std::size_t count) {
    const media::Frames& frames = *videos[i].frames;
    const auto bytes = static_cast<std::ptrdiff_t>(frames.frame_bytes());
    const auto from = static_cast<std::ptrdiff_t>(first), to = static_cast<std::ptrdiff_t>(first + count);
    out.data.insert(out.data.end(), frames.data.begin() + from * bytes, frames.data.begin() + to * bytes);
    for (auto f = first; f < first + count; ++f) out.times.push_back(frames.times[f] + kApart * static_cast<double>(i));
    out.count += static_cast<int>(count);
  };
  const auto net = static_cast<std::size_t>(impl_->net_frames());
  const auto image_encoder = static_cast<std::size_t>(impl_->image_frames());
  for (std::size_t i = 0; i < videos.size(); ++i) {
    if (videos[i].frames->height != out.height || videos[i].frames->width != out.width ||
        static_cast<std::size_t>(videos[i].frames->count) != videos[i].views * (net + image_encoder))
      throw Exception(Code::invalid_argument, "the frames are of another size, or not those of wanted()");
    append(i, 0, videos[i].views * net);
  }
  for (std::size_t i = 0; i < videos.size(); ++i) append(i, videos[i].views * net, videos[i].views * image_encoder);
  return out;
}

Result<std::vector<Features>> Extractor::features(const media::Frames& frames, std::size_t views,
                                                  std::span<const TimeOrder> orders) {
  torch::NoGradGuard no_grad;
  const int n = static_cast<int>(views);
  if (frames.count != n * (impl_->net_frames() + impl_->image_frames()))
    throw Exception(Code::invalid_argument, "the frames are not those of wanted()");
  const Impl::ViewFeatures seen = impl_->look(frames, n);
  std::vector<Features> out;
  for (const TimeOrder order : orders) {
    const Tensor all = impl_->all(seen, n, order);
    if (!all.isfinite().all().item<bool>()) return fail(Code::corrupt, "the model's features are no numbers");
    const float* data = all.const_data_ptr<float>();
    const auto width = static_cast<std::size_t>(all.size(1));
    Features& rows = out.emplace_back();
    for (std::size_t v = 0; v < views; ++v) rows.emplace_back(data + v * width, data + (v + 1) * width);
  }
  return out;
}

Result<Features> Extractor::features(const media::Frames& frames, std::size_t views) {
  constexpr TimeOrder kForward = TimeOrder::forward;
  auto all = features(frames, views, {&kForward, 1});
  if (!all) return fail(all.error());
  return std::move(all->front());
}

}  // namespace reeltag::model
