#include <cmath>

#include "net.hpp"
#include "positions.hpp"

namespace reeltag::model {

// Linear and convolution weights, class token, positions and tables: normal(0, 0.02), cut at +-2 (never reached in
// practice). Linear and LayerNorm biases are 0.02, not 0. The stem's bias keeps the framework's uniform default.
// Source: slowfast/models/video_model_builder.py@287ec007, MViT._init_weights.
void initialize(torch::nn::Module& net, const Plan& plan) {
  torch::NoGradGuard no_grad;
  const auto& m = plan.recipe.mvit;
  for (const auto& item : net.named_parameters()) {
    const std::string& name = item.key();
    torch::Tensor p = item.value();
    const bool table = name.find("rel_pos") != std::string::npos;
    if (name == "pos_embed" && m.use_fixed_sincos_pos) {
      p.copy_(sincos_positions(m.embed_dim, plan.grid, m.cls_embed_on));
    } else if (name == "patch_embed.proj.bias") {
      double fan_in = plan.recipe.data.input_channel_num[0];
      for (const int k : m.patch_kernel) fan_in *= k;
      p.uniform_(-1.0 / std::sqrt(fan_in), 1.0 / std::sqrt(fan_in));
    } else if (table && m.rel_pos_zero_init) {
      p.zero_();
    } else if (p.dim() == 1) {
      p.fill_(name.ends_with(".bias") ? 0.02 : 1.0);
    } else {
      p.normal_(0.0, 0.02).clamp_(-2.0, 2.0);
    }
    if (name.starts_with("head.projection")) p.mul_(m.head_init_scale);
  }
}

}  // namespace reeltag::model
