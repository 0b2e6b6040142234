#include "reeltag/model/mvit.hpp"

#include "drawing.hpp"
#include "net.hpp"
#include "reeltag/model/clip_grid.hpp"

namespace reeltag::model {

struct Mvit::Impl {
  Plan plan;
  Net net;
};

namespace {

std::string text(at::IntArrayRef sizes) {
  std::string out;
  for (const auto n : sizes) out += (out.empty() ? "" : ",") + std::to_string(n);
  return "[" + out + "]";
}

// Any clip length, height and width is valid if every pooling fits.
void check_input(const Plan& plan, const at::Tensor& clips) {
  const auto& data = plan.recipe.data;
  const std::int64_t axes = plan.recipe.is_image() ? 4 : 5;
  const std::string channels = std::to_string(data.input_channel_num[0]);
  if (clips.dim() != axes || clips.size(1) != data.input_channel_num[0]) {
    throw Exception(Code::invalid_argument, "the net wants clips [B," + channels + (axes == 5 ? ",T" : "") +
                                                ",height,width], got " + text(clips.sizes()));
  }
  const auto axis = [&](std::int64_t a) { return static_cast<int>(clips.size(a)); };
  if (!fits(plan, {axes == 5 ? axis(2) : 1, axis(-2), axis(-1)})) {
    throw Exception(Code::invalid_argument, "the net's stem and pooling do not fit clips " + text(clips.sizes()) +
                                                "; trained at " + std::to_string(data.num_frames) + " frames of " +
                                                std::to_string(data.train_crop_size) + " pixels");
  }
}

// Converts libtorch's errors to Exception.
template <class Run>
at::Tensor guarded(const Run& run) {
  try {
    return run();
  } catch (const c10::Error& e) {
    throw Exception(Code::internal, std::string("libtorch: ") + e.what_without_backtrace());
  }
}

}  // namespace

Mvit::Mvit(const Plan& plan, std::uint64_t seed) {
  if (plan.recipe.is_pretraining()) {
    throw Exception(
        Code::unsupported,
        "MODEL.MODEL_NAME MaskMViT: this net predicts hidden tokens and has no classes; take a fine-tuning recipe");
  }
  torch::manual_seed(seed);
  impl_ = std::make_unique<Impl>(Impl{plan, Net(plan)});
  initialize(*impl_->net, plan);
}
Mvit::~Mvit() = default;
Mvit::Mvit(Mvit&&) noexcept = default;
Mvit& Mvit::operator=(Mvit&&) noexcept = default;

at::Tensor Mvit::forward(const at::Tensor& clips, const BatchPart& part) {
  check_input(impl_->plan, clips);
  const DrawingFor drawing(part);
  return guarded([&] { return impl_->net->forward(clips); });
}

at::Tensor Mvit::embed(const at::Tensor& clips) {
  check_input(impl_->plan, clips);
  return guarded([&] { return impl_->net->embed(clips); });
}

at::Tensor Mvit::activate(const at::Tensor& logits) const {
  const std::string& act = impl_->plan.recipe.model.head_act;
  if (act == "softmax") return torch::softmax(logits, -1);
  if (act == "sigmoid") return torch::sigmoid(logits);
  if (act == "none") return logits;
  throw Exception(Code::invalid_config, "MODEL.HEAD_ACT must be softmax, sigmoid or none, not " + act);
}

void Mvit::set_training(bool training) { impl_->net->train(training); }
void Mvit::to(const std::string& device) { impl_->net->to(torch::Device(device)); }
void Mvit::to_double() { impl_->net->to(torch::kDouble); }

std::vector<std::pair<std::string, at::Tensor>> Mvit::parameters() const {
  std::vector<std::pair<std::string, at::Tensor>> out;
  const auto named = impl_->net->named_parameters();
  for (const auto& p : impl_->plan.parameters) out.emplace_back(p.name, named[p.name]);
  return out;
}

const Plan& Mvit::plan() const { return impl_->plan; }
void Mvit::observe(Observer observer) { impl_->net->observer = std::move(observer); }

}  // namespace reeltag::model
