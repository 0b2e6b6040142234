#include "reeltag/model/mvit.hpp"

#include "net.hpp"

namespace reeltag::model {

struct Mvit::Impl {
  Plan plan;
  Net net;
};

namespace {

void check_input(const Plan& plan, const at::Tensor& clips) {
  const auto& data = plan.recipe.data;
  const bool image = plan.recipe.is_image();
  const std::int64_t axes = image ? 4 : 5;
  const auto size = [&](std::int64_t axis) { return clips.size(axis); };
  const bool ok = clips.dim() == axes && size(1) == data.input_channel_num[0] &&
                  (image || size(2) == data.num_frames) && size(axes - 2) == data.train_crop_size &&
                  size(axes - 1) == data.train_crop_size;
  if (ok) return;
  std::string got;
  for (const auto n : clips.sizes()) got += (got.empty() ? "" : ",") + std::to_string(n);
  throw Exception(Code::invalid_argument, "the net wants clips [B," + std::to_string(data.input_channel_num[0]) + "," +
                                              (image ? "" : std::to_string(data.num_frames) + ",") +
                                              std::to_string(data.train_crop_size) + "," +
                                              std::to_string(data.train_crop_size) + "], got [" + got + "]");
}

// Torch's own errors become ours at this edge.
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
  torch::manual_seed(seed);
  impl_ = std::make_unique<Impl>(Impl{plan, Net(plan)});
  initialise(*impl_->net, plan);
}
Mvit::~Mvit() = default;
Mvit::Mvit(Mvit&&) noexcept = default;
Mvit& Mvit::operator=(Mvit&&) noexcept = default;

at::Tensor Mvit::forward(const at::Tensor& clips) {
  check_input(impl_->plan, clips);
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
