// Checkpoints of PySlowFast and its relatives: read from any of their formats, fitted to the net of a plan, written so
// that Python reads them. What is read from Python's files runs nothing (torch_file.hpp); all files are untrusted.
// Functions; any thread. Exceptions: corrupt, unsupported, not_found, each naming the file.
//
//   model::Checkpoint file = model::read_checkpoint("MViTv2_S_16x4_k400.pyth");
//   model::Fitted fitted = model::fit_weights(file.weights, plan, {});
//   model::assign(fitted, net.parameters());
//   for (const auto& line : fitted.report) ...  // what became of each name
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

// AdamW's state as PyTorch numbers it: parameters count through the groups.
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
  TensorFile weights;                 // names as in the file, without "module." and without what holds them
  std::optional<std::int64_t> epoch;  // the last finished one, from 0
  std::string cfg;                    // the configuration's YAML; empty when the file has none
  std::optional<OptimizerState> optimizer;
};

// A .pyth, .pt or .pth of torch.save, or a .safetensors; told apart by their bytes. Weights lie under model_state,
// model or state_dict, or are the file's own entries. The optimizer's state, twice the weights, only when asked for.
Checkpoint read_checkpoint(const std::filesystem::path& path, bool with_optimizer = false);

// By the ending: .safetensors, else a torch zip {"epoch", "model_state", "cfg"}. Weights become float32.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

// Fused "attn.qkv" into "attn.q", "attn.k", "attn.v", or back; other names stay.
void split_qkv(TensorFile& weights);
void fuse_qkv(TensorFile& weights);

struct FitOptions {
  bool image_init = false;  // TRAIN.CHECKPOINT_IN_INIT: kernels repeated along time, not divided; or summed for images
  bool inflate = false;     // TRAIN.CHECKPOINT_INFLATE: kernels repeated along time and divided by its length
  std::vector<std::string> clear_names = {};  // TRAIN.CHECKPOINT_CLEAR_NAME_PATTERN: taken out of every name, once
};

enum class Fate {
  loaded,     // as it was
  resampled,  // a table of another size
  converted,  // reshaped, joined, split, inflated
  missing,    // the net keeps what it had
  unused      // the file's, and the net has no place for it
};
constexpr std::array<const char*, 5> kFateNames{"loaded", "resampled", "converted", "missing", "unused"};

struct FitLine {
  std::string name;  // the net's; of unused ones the file's
  Fate fate = Fate::loaded;
  std::string detail = {};                       // how or why; empty for loaded
  std::vector<std::int64_t> from = {}, to = {};  // shapes, where they differ
};

struct FitResult {
  TensorFile weights;           // float32, by the plan's names and shapes; without those missing
  std::vector<FitLine> report;  // a line for each name of the plan, in its order, then the unused ones
  std::string naming;           // whose names the file has: PySlowFast, torchvision, timm, pytorchvideo

  [[nodiscard]] std::array<int, 5> counts() const;  // by fate
};

// Rules: docs/checkpoints.md. Names of torchvision, timm and pytorchvideo are translated.
FitResult fit_weights(const TensorFile& source, const Plan& plan, const FitOptions& options);

// Copies into parameters of equal name; the missing ones stay.
void assign(const FitResult& fitted, const std::vector<std::pair<std::string, at::Tensor>>& parameters);

std::string shape_text(const std::vector<std::int64_t>& shape);  // "[400,768]"

}  // namespace reeltag::model
