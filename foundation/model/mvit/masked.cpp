#include "reeltag/model/masked.hpp"

#include "block.hpp"
#include "masked_target.hpp"
#include "net.hpp"
#include "stem.hpp"

namespace reeltag::model {

using torch::Tensor;

namespace {

// [B,T,h,w] -> bool [B,T*H*W] over grid.
Tensor mask_over(const Tensor& mask, const Triple& grid) {
  return torch::upsample_nearest2d(mask, {grid[1], grid[2]}).flatten(1) > 0.5;
}

// The predictions of one block: transformer blocks (masked autoencoder), norm, linear.
class PredictionHead {
 public:
  PredictionHead(const Plan& plan, std::size_t j, torch::nn::Module& transforms, torch::nn::Module& projections) {
    const auto& mask = plan.recipe.mask;
    const int block_width = plan.blocks[static_cast<std::size_t>(mask.pretrain_depth[j])].dim_out;
    const int width = mask.mae_on ? mask.decoder_embed_dim : block_width;
    const int depth = mask.head_type == "separate_xformer" ? mask.decoder_depth : 0;
    auto sequence = transforms.register_module(std::to_string(j), std::make_shared<torch::nn::Module>("Transform"));
    for (int i = 0; i < depth; ++i) {
      BlockPlan b;
      b.dim_in = b.dim_out = b.dim_attention = width;
      b.heads = width / 64;
      b.pool_width = 64;
      b.mlp_hidden = 4 * width;
      MvitOptions plain;  // of the decoder: no pooling, no relative positions
      blocks_.push_back(sequence->register_module(std::to_string(i), Block(b, plain)));
    }
    norm_ = sequence->register_module(std::to_string(depth), layer_norm(width));
    projection_ = projections.register_module(std::to_string(j), torch::nn::Linear(width, plan.prediction_width(j)));
  }

  // Blocks mix tokens, so they need all of them; the later layers act on each token alone.
  Tensor mix(Tensor x) {
    for (auto& block : blocks_) x = block->forward(x, {1, 1, static_cast<int>(x.size(1)) - 1}).tokens;
    return x;
  }
  Tensor predict(const Tensor& tokens) { return projection_(norm_(tokens)); }

 private:
  std::vector<Block> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear projection_{nullptr};
};

class MaskedNetImpl final : public StemImpl {
 public:
  explicit MaskedNetImpl(const Plan& plan) : StemImpl(plan) {
    const auto& mask = plan.recipe.mask;
    auto blocks = register_module("blocks", torch::nn::ModuleList());
    for (const auto& block : plan.blocks) {
      blocks_.emplace_back(block, plan.recipe.mvit);
      blocks->push_back(blocks_.back());
    }
    auto head = register_module("pred_head", std::make_shared<torch::nn::Module>("Head"));
    auto transforms = head->register_module("transforms", std::make_shared<torch::nn::Module>("Transforms"));
    auto projections = head->register_module("projections", std::make_shared<torch::nn::Module>("Projections"));
    for (std::size_t j = 0; j < mask.pretrain_depth.size(); ++j)
      heads_.emplace_back(plan, j, *transforms, *projections);
    mask_token_ = register_parameter(
        "mask_token", torch::zeros({1, 1, mask.mae_on ? mask.decoder_embed_dim : plan.recipe.mvit.embed_dim}));
    if (mask.mae_on) add_decoder(plan);
  }

  // Predictions of the hidden tokens of each listed block.
  std::vector<Tensor> forward(const Tensor& clips, const Tensor& mask) {
    return plan_.recipe.mask.mae_on ? autoencoder(clips, mask) : masked_features(clips, mask);
  }

 private:
  void add_decoder(const Plan& plan) {
    const int width = plan.recipe.mask.decoder_embed_dim;
    const Triple& g = plan.grid;
    norm_ = register_module("norm", layer_norm(plan.dim_out));
    decoder_embed_ = register_module("decoder_embed", torch::nn::Linear(plan.dim_out, width));
    if (!plan.recipe.mvit.use_abs_pos) return;
    const std::int64_t cls = plan.class_token() ? 1 : 0;
    if (plan.recipe.mask.decoder_sep_pos_embed) {
      dec_spatial_ = register_parameter("dec_pos_embed_spatial", torch::zeros({1, g[1] * g[2], width}));
      dec_temporal_ = register_parameter("dec_pos_embed_temporal", torch::zeros({1, g[0], width}));
      if (cls != 0) dec_class_ = register_parameter("dec_pos_embed_class", torch::zeros({1, 1, width}));
    } else {
      dec_joint_ = register_parameter("decoder_pos_embed", torch::zeros({1, g[0] * g[1] * g[2] + cls, width}));
    }
  }

  [[nodiscard]] Tensor decoder_positions() const {
    if (!dec_spatial_.defined()) return dec_joint_;
    const Triple& g = plan_.grid;
    Tensor positions =
        dec_spatial_.repeat({1, g[0], 1}) + dec_temporal_.repeat_interleave(static_cast<std::int64_t>(g[1]) * g[2], 1);
    return dec_class_.defined() ? torch::cat({dec_class_, positions}, 1) : positions;
  }

  // Hidden patches are replaced by the mask token before positions are added; every block sees all tokens.
  std::vector<Tensor> masked_features(const Tensor& clips, const Tensor& mask) {
    Tokens tokens = patch_tokens(clips);
    tell("patch_embed", tokens.x);
    const Tensor hidden = mask_over(mask, tokens.grid).unsqueeze(2).to(tokens.x.scalar_type());
    tokens.x = with_positions({tokens.x * (1 - hidden) + mask_token_ * hidden, tokens.grid});
    const auto& depths = plan_.recipe.mask.pretrain_depth;
    std::vector<Tensor> out(depths.size());
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const auto block = blocks_[i]->forward(tokens.x, tokens.grid);
      tokens = {block.tokens, block.grid};
      tell("block" + std::to_string(i), tokens.x);
      for (std::size_t j = 0; j < depths.size(); ++j) {
        if (static_cast<std::size_t>(depths[j]) == i)
          out[j] = heads_[j].predict(without_class(heads_[j].mix(tokens.x)).index({mask_over(mask, tokens.grid)}));
      }
    }
    return out;
  }

  // The trunk sees the visible patches only; a small decoder predicts the hidden ones.
  std::vector<Tensor> autoencoder(const Tensor& clips, const Tensor& mask) {
    const Tokens patches = patch_tokens(clips);
    const std::int64_t batch = patches.x.size(0), cls = plan_.class_token() ? 1 : 0;
    const Tensor hidden = mask_over(mask, patches.grid);                                   // [B,L]
    const Tensor visible = hidden.logical_not().nonzero().select(1, 1).view({batch, -1});  // [B,K] token numbers
    const auto gather = [&](const Tensor& x) {
      return x.gather(1, visible.unsqueeze(2).expand({batch, visible.size(1), x.size(2)}));
    };
    Tensor x = gather(patches.x);
    Tensor token = cls_token_;
    if (const Tensor positions = absolute_positions(patches.grid); positions.defined()) {
      x = x + gather(positions.narrow(1, cls, positions.size(1) - cls).expand({batch, -1, -1}));
      if (cls != 0) token = token + positions.narrow(1, 0, 1);
    }
    if (cls != 0) x = torch::cat({token.expand({batch, 1, x.size(2)}), x}, 1);
    const Triple grid{1, 1, static_cast<int>(visible.size(1))};  // no block pools, so any shape will do
    for (std::size_t i = 0; i < blocks_.size(); ++i) x = blocks_[i]->forward(x, grid).tokens;
    x = decoder_embed_(norm_(x));
    Tensor all = mask_token_.expand({batch, hidden.size(1), x.size(2)});
    all = all.scatter(1, visible.unsqueeze(2).expand({batch, visible.size(1), x.size(2)}),
                      x.narrow(1, cls, visible.size(1)));
    if (cls != 0) all = torch::cat({x.narrow(1, 0, 1), all}, 1);
    if (const Tensor positions = decoder_positions(); positions.defined()) all = all + positions;
    std::vector<Tensor> out;
    for (auto& head : heads_) out.push_back(head.predict(without_class(head.mix(all)).index({hidden})));
    return out;
  }

  [[nodiscard]] Tensor without_class(const Tensor& x) const {
    return plan_.class_token() ? x.narrow(1, 1, x.size(1) - 1) : x;
  }

  std::vector<Block> blocks_;
  std::vector<PredictionHead> heads_;
  Tensor mask_token_, dec_spatial_, dec_temporal_, dec_class_, dec_joint_;
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear decoder_embed_{nullptr};
};
TORCH_MODULE(MaskedNet);

[[noreturn]] void bad_mask(const std::string& why) { throw Exception(Code::invalid_argument, "the mask " + why); }

// As [B,T',h,w], checked.
Tensor checked_mask(const Plan& plan, const Tensor& clips, const Tensor& given) {
  const Tensor mask = plan.recipe.is_image() && given.dim() == 3 ? given.unsqueeze(1) : given;
  if (mask.dim() != 4 || mask.size(0) != clips.size(0)) bad_mask("must be [B,T,h,w], one for each clip");
  if (mask.size(1) != plan.grid[0]) {
    bad_mask("has " + std::to_string(mask.size(1)) + " frames, the net " + std::to_string(plan.grid[0]) +
             " frames of tokens");
  }
  if (plan.recipe.mask.mae_on) {
    if (mask.size(2) != plan.grid[1] || mask.size(3) != plan.grid[2]) bad_mask("must have the token grid's size");
    const Tensor counts = (mask > 0.5).flatten(1).sum(1);
    if (!counts.eq(counts[0]).all().item<bool>()) bad_mask("must hide as many tokens in each sample");
  }
  return mask.to(torch::kFloat);
}

}  // namespace

struct MaskedMvit::Impl {
  Plan plan;
  MaskedNet net;
};

MaskedMvit::MaskedMvit(const Plan& plan, std::uint64_t seed) {
  if (!plan.recipe.is_pretraining())
    throw Exception(Code::invalid_config, "MODEL.MODEL_NAME must be MaskMViT for masked pre-training");
  torch::manual_seed(seed);
  impl_ = std::make_unique<Impl>(Impl{plan, MaskedNet(plan)});
  initialize(*impl_->net, plan);
}
MaskedMvit::~MaskedMvit() = default;
MaskedMvit::MaskedMvit(MaskedMvit&&) noexcept = default;
MaskedMvit& MaskedMvit::operator=(MaskedMvit&&) noexcept = default;

MaskedTarget MaskedMvit::forward(const at::Tensor& clips, const at::Tensor& mask) {
  const auto& plan = impl_->plan;
  const Tensor checked = checked_mask(plan, clips, mask);
  MaskedTarget out{.prediction = impl_->net->forward(clips, checked), .target = {}};
  torch::NoGradGuard no_grad;
  for (std::size_t j = 0; j < out.prediction.size(); ++j) {
    const Triple grid = plan.recipe.mask.mae_on
                            ? plan.grid
                            : plan.blocks[static_cast<std::size_t>(plan.recipe.mask.pretrain_depth[j])].grid_q;
    const Tensor all = plan.recipe.mask.pred_hog ? hog_targets(clips, plan, grid) : pixel_targets(clips, plan);
    out.target.push_back(all.index({mask_over(checked, grid)}));
  }
  return out;
}

at::Tensor MaskedMvit::loss(const MaskedTarget& masked) {
  Tensor sum;
  for (std::size_t j = 0; j < masked.prediction.size(); ++j) {
    const Tensor one = torch::mse_loss(masked.prediction[j], masked.target[j]);
    sum = sum.defined() ? sum + one : one;
  }
  return sum / static_cast<double>(masked.prediction.size());
}

void MaskedMvit::set_training(bool training) { impl_->net->train(training); }

std::vector<std::pair<std::string, at::Tensor>> MaskedMvit::parameters() const {
  std::vector<std::pair<std::string, at::Tensor>> out;
  const auto named = impl_->net->named_parameters();
  for (const auto& p : impl_->plan.parameters) out.emplace_back(p.name, named[p.name]);
  return out;
}

const Plan& MaskedMvit::plan() const { return impl_->plan; }

}  // namespace reeltag::model
