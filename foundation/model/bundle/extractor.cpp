#include "reeltag/model/extractor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "net.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/image_encoder.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

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

// The weighted mean of rows; zeros where all weights are 0.
class WeightedMean {
 public:
  explicit WeightedMean(std::size_t width) : sums_(width) {}

  // value(i): the i-th number of the row.
  template <class Value>
  void add(float weight, const Value& value) {
    if (weight == 0.0F) return;
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += weight * value(i);
    weight_ += weight;
  }
  [[nodiscard]] std::vector<float> mean() && {
    for (float& sum : sums_) sum /= std::max(1.0F, weight_);
    return std::move(sums_);
  }

 private:
  std::vector<float> sums_;
  float weight_ = 0.0F;
};

}  // namespace

struct Extractor::Impl {
  ExtractorOptions options;
  ClipSpec spec;  // of the net
  int whole_views = 1;
  int side = 0;  // decode size in pixels: the larger of the net's and the image encoder's
  std::optional<Net> net;
  std::optional<ImageEncoder> image_encoder;
  std::vector<Block> blocks;
  std::string id;
  std::vector<float> clip;  // working memory of embed

  [[nodiscard]] int net_frames() const { return net ? spec.frames : 0; }
  [[nodiscard]] int image_frames() const { return image_encoder ? options.image_frames : 0; }

  void load_net(const fs::path& folder) {
    const Bundle bundle = load_bundle(folder);
    net.emplace(folder, bundle, options.threads);
    spec = clip_spec(bundle.recipe);
    spec.whole_picture |= options.whole_picture;
    whole_views = spec.uniform ? 1 : std::max(1, bundle.recipe.test.num_ensemble_views);
  }

  // The embedding of a view's clip; the views' frames are consecutive from the start of `frames`.
  [[nodiscard]] std::vector<float> embed(const media::Frames& frames, int view, TimeOrder order) {
    const ClipSpec fitted = fit(spec, frames.height, frames.width);
    std::vector<int> indices;
    for (int t = 0; t < spec.frames; ++t) indices.push_back(view * spec.frames + shown(order, t, spec.frames));
    clip.resize(fitted.clip_size());
    write_clip(frames, indices, test_region(spec, frames.height, frames.width), false, fitted, clip.data());
    return net->embed(clip, {.batch = 1, .frames = spec.frames, .height = fitted.height, .width = fitted.width});
  }

  // What the image encoder says of the frames after those of the net, in their order. A frame shared by several views
  // is computed once.
  struct ImageFeatures {
    std::vector<float> distinct;    // rows of kFeatures
    std::vector<std::size_t> rows;  // [V*image_frames]: the row of each
    std::vector<float> shown;  // [V*image_frames]: 1 for a frame that shows something, 0 for one of a single colour

    [[nodiscard]] const float* row(std::size_t i) const { return &distinct[rows[i] * ImageEncoder::kFeatures]; }
  };
  [[nodiscard]] ImageFeatures image_features(const media::Frames& frames, int views) const {
    const int first = views * net_frames(), count = views * image_frames();
    ImageFeatures out;
    std::map<double, std::size_t> row_of;  // by presentation time
    media::Frames distinct{.count = 0, .height = frames.height, .width = frames.width, .data = {}, .times = {}};
    for (int i = first; i < first + count; ++i) {
      const double time = frames.times[static_cast<std::size_t>(i)];
      const auto [it, fresh] = row_of.emplace(time, row_of.size());
      out.rows.push_back(it->second);
      if (!fresh) continue;
      const auto pixels = frames.frame(i);
      distinct.data.insert(distinct.data.end(), pixels.begin(), pixels.end());
      distinct.times.push_back(time);
      ++distinct.count;
    }
    out.distinct = image_encoder->features(distinct);
    out.shown = shown_frames(frames, views);
    return out;
  }

  // Black between two scenes, behind a film's end or before its beginning says nothing of the video: such frames do not
  // count in an average, unless the view has no others.
  [[nodiscard]] std::vector<float> shown_frames(const media::Frames& frames, int views) const {
    const int first = views * net_frames(), n = image_frames();
    std::vector<float> out;
    for (int i = 0; i < views * n; ++i) out.push_back(is_blank(frames.frame(first + i)) ? 0.0F : 1.0F);
    for (auto view = out.begin(); view != out.end(); view += n) {
      if (std::count(view, view + n, 1.0F) == 0) std::fill(view, view + n, 1.0F);
    }
    return out;
  }

  // A view's image.mean and image.delta with its frames in this order.
  struct ImageBlocks {
    std::vector<float> mean, delta;
  };
  [[nodiscard]] ImageBlocks image_blocks(const ImageFeatures& seen, int view, TimeOrder order) const {
    const int n = image_frames();
    const auto at = [&](int i) {
      const int frame = view * n + shown(order, i, n);
      return static_cast<std::size_t>(frame);
    };
    WeightedMean mean(ImageEncoder::kFeatures), delta(ImageEncoder::kFeatures);
    for (int i = 0; i < n; ++i) {
      const float* row = seen.row(at(i));
      mean.add(seen.shown[at(i)], [&](std::size_t c) { return row[c]; });
      if (i == 0) continue;
      const float* before = seen.row(at(i - 1));
      delta.add(seen.shown[at(i)] * seen.shown[at(i - 1)], [&](std::size_t c) { return std::abs(row[c] - before[c]); });
    }
    return {std::move(mean).mean(), std::move(delta).mean()};
  }

  // Inputs of the blocks, independent of the time order.
  struct ViewFeatures {
    media::Frames net_frames;
    ImageFeatures images;
  };
  [[nodiscard]] ViewFeatures look(const media::Frames& frames, int views) const {
    ViewFeatures seen;
    if (net) seen.net_frames = for_net(frames, views);
    if (image_encoder) seen.images = image_features(frames, views);
    return seen;
  }

  // The features of a view with its frames in this order.
  [[nodiscard]] std::vector<float> row(const ViewFeatures& seen, int view, TimeOrder order) {
    const ImageBlocks images = image_encoder ? image_blocks(seen.images, view, order) : ImageBlocks{};
    std::vector<float> out;
    for (const auto& block : blocks) {
      const auto part = block.name == kMvitBlock   ? embed(seen.net_frames, view, order)
                        : block.name == kImageMean ? images.mean
                                                   : images.delta;
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }

  // The net's frames, at its training size.
  [[nodiscard]] media::Frames for_net(const media::Frames& frames, int views) const {
    const int frames_of_net = views * net_frames();
    const auto count = static_cast<std::size_t>(frames_of_net);
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
      impl_->blocks.push_back({name, impl_->net->width()});
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
  const int n = static_cast<int>(views);
  if (frames.count != n * (impl_->net_frames() + impl_->image_frames()))
    throw Exception(Code::invalid_argument, "the frames are not those of wanted()");
  const Impl::ViewFeatures seen = impl_->look(frames, n);
  std::vector<Features> out;
  for (const TimeOrder order : orders) {
    Features& rows = out.emplace_back();
    for (int v = 0; v < n; ++v) {
      rows.push_back(impl_->row(seen, v, order));
      if (!std::all_of(rows.back().begin(), rows.back().end(), [](float x) { return std::isfinite(x); }))
        return fail(Code::corrupt, "the model's features are no numbers");
    }
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
