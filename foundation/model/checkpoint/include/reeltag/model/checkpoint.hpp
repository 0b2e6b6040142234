// Reads checkpoints of PySlowFast and related projects in all their formats, fits the weights to the net of a plan, and
// writes checkpoints that Python can read. Reading Python's files executes no code (torch_file.hpp); all files are
// untrusted. Functions, any thread. Throws Exception (corrupt, unsupported, not_found), naming the file.
//
//   model::Checkpoint file = model::read_checkpoint("MViTv2_S_16x4_k400.pyth");
//   model::FitResult fitted = model::fit_weights(file.weights, plan, {});
//   model::assign(fitted, net.parameters());
//   for (const auto& line : fitted.report) ...  // the fate of each name
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reeltag/model/plan.hpp"
#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {

// AdamW's state with PyTorch's parameter indices, which count through the groups.
struct OptimizerState {
  struct Moments {
    at::Tensor exp_avg, exp_avg_sq;
    double step = 0;
  };
  struct Group {
    double weight_decay = 0.0;
    std::vector<std::int64_t> parameters;
  };
  std::vector<Group> groups;
  std::map<std::int64_t, Moments> moments;
};

struct Checkpoint {
  std::string format;                 // "torch zip", "torch legacy", "safetensors"
  TensorFile weights;                 // names as in the file, without "module." and without the enclosing key
  std::optional<std::int64_t> epoch;  // the last finished one, 0-based
  std::string cfg;                    // the configuration's YAML; empty if the file has none
  std::optional<OptimizerState> optimizer;
};

// Reads a .pyth, .pt or .pth file of torch.save, or a .safetensors file; the format is detected from the bytes. Weights
// are under model_state, model or state_dict, or are the file's top-level entries. with_optimizer: also read the
// optimizer state, which is twice the size of the weights.
Checkpoint read_checkpoint(const std::filesystem::path& path, bool with_optimizer = false);

// The extension selects the format: .safetensors, or else a torch zip {"epoch", "model_state", "cfg"}. Weights are
// converted to float32.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

// Splits fused "attn.qkv" into "attn.q", "attn.k", "attn.v", or fuses them again; other names stay.
void split_qkv(TensorFile& weights);
void fuse_qkv(TensorFile& weights);

struct FitOptions {
  bool image_init = false;  // TRAIN.CHECKPOINT_IN_INIT: kernels repeated along time, not divided; or summed for images
  bool inflate = false;     // TRAIN.CHECKPOINT_INFLATE: kernels repeated along time and divided by its length
  std::vector<std::string> clear_names = {};  // TRAIN.CHECKPOINT_CLEAR_NAME_PATTERN: removed once from every name
};

enum class Fate {
  loaded,     // copied unchanged
  resampled,  // a table that was interpolated to another size
  converted,  // reshaped, fused, split or inflated
  missing,    // not in the file; the net keeps its value
  unused      // in the file, but not in the net
};
constexpr std::array<const char*, 5> kFateNames{"loaded", "resampled", "converted", "missing", "unused"};

struct FitLine {
  std::string name;  // the net's name; for unused entries the file's
  Fate fate = Fate::loaded;
  std::string detail = {};                       // how or why; empty for loaded
  std::vector<std::int64_t> from = {}, to = {};  // shapes, if they differ
};

struct FitResult {
  TensorFile weights;           // float32, with the plan's names and shapes; missing ones are absent
  std::vector<FitLine> report;  // one line per name of the plan, in its order, then the unused ones
  std::string naming;           // the file's naming scheme: PySlowFast, torchvision, timm, pytorchvideo
  std::string prefix;           // taken off its names, "_orig_mod.model."; empty: none

  [[nodiscard]] std::array<int, 5> counts() const;  // indexed by Fate
};

// Fits the weights to the plan by the rules of docs/checkpoints.md. Names of torchvision, timm and pytorchvideo are
// translated, and what training frameworks put before all names (module., model., backbone., ema., ...) is taken off
// where more names belong to the net without it.
FitResult fit_weights(const TensorFile& source, const Plan& plan, const FitOptions& options);

// Copies the weights into the parameters of equal name; missing ones keep their values.
void assign(const FitResult& fitted, const std::vector<std::pair<std::string, at::Tensor>>& parameters);

std::string shape_text(const std::vector<std::int64_t>& shape);  // "[400,768]"

}  // namespace reeltag::model
