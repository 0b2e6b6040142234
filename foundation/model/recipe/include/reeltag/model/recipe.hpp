// A recipe describes a net and its training in PySlowFast's YAML (sections MVIT, DATA, SOLVER ...), so PySlowFast's
// configuration files are read unchanged. Keys of this project are in the section REELTAG. Does not depend on libtorch.
// Values, any thread.
//
// Parsing follows the reference's configuration layer: strings that are Python literals ("1e-6", "(3, 7, 7)", "None")
// become values, and the last of two equal keys wins. An unknown key in a known section is an error (Exception,
// invalid_config, with line and nearest name); an unknown section is a warning.
// Source of names, defaults and meanings: PySlowFast slowfast/config/defaults.py@287ec007.
//
//   model::Recipe recipe = model::load_recipe("MVITv2_S_16x4");
//   model::set(recipe, "MODEL.NUM_CLASSES", 31);
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "reeltag/base/error.hpp"

namespace reeltag::model {

using Triple = std::array<int, 3>;  // along time, height, width

// DIM_MUL and HEAD_MUL: multiplies the width or the number of heads at this block.
struct Factor {
  int block = 0;
  double factor = 1.0;
};

// POOL_Q_STRIDE and POOL_KV_STRIDE: the stride of one block's pooling.
struct BlockStride {
  int block = 0;
  Triple stride{1, 1, 1};
};

// Section MVIT: the trunk.
struct MvitOptions {
  std::string mode = "conv";  // pooling operator: conv, avg, max, conv_unshared
  bool pool_first = false;    // pool before the q, k, v projections
  bool cls_embed_on = true;   // class token
  std::vector<int> patch_kernel{3, 7, 7}, patch_stride{2, 4, 4}, patch_padding{2, 4, 4};
  bool patch_2d = false;  // 2-D stem for images; the three lists above then have two entries
  int embed_dim = 96;     // width after the stem
  int num_heads = 1;      // heads of the first block
  double mlp_ratio = 4.0;
  bool qkv_bias = true;
  double droppath_rate = 0.1;         // of the last block; rises linearly from 0
  double layer_scale_init_value = 0;  // read and ignored, as the reference does
  int depth = 16;
  std::string norm = "layernorm";
  std::vector<Factor> dim_mul, head_mul;
  std::vector<BlockStride> pool_kv_stride;
  std::optional<Triple> pool_kv_stride_adaptive;
  std::vector<BlockStride> pool_q_stride;
  std::optional<Triple> pool_kvq_kernel;
  bool zero_decay_pos_cls = true;
  bool norm_stem = false;
  bool sep_pos_embed = false;
  double dropout_rate = 0.0;
  bool use_abs_pos = true;
  bool rel_pos_spatial = false, rel_pos_temporal = false;
  bool rel_pos_zero_init = false;
  bool residual_pooling = false;
  bool dim_mul_in_att = false;
  bool separate_qkv = false;
  double head_init_scale = 1.0;
  bool use_mean_pooling = false;
  bool use_fixed_sincos_pos = false;
  bool rev_enable = false;
  std::string rev_respath_fuse = "concat";
  std::vector<int> rev_buffer_layers;
  std::string rev_res_path = "conv";
  std::string rev_pre_q_fusion = "avg";
};

// Section MODEL.
struct ModelOptions {
  std::string model_name = "MViT";  // or MaskMViT, for masked pre-training
  std::string arch = "slowfast";
  int num_classes = 400;
  std::string loss_func = "cross_entropy";  // cross_entropy, soft_cross_entropy, bce_logit
  double dropout_rate = 0.5;                // before the classifier, in training
  std::string head_act = "softmax";         // softmax, sigmoid, none: of the evaluated net's output
  bool detach_final_fc = false;
  bool act_checkpoint = false;
};

// Section DATA: what a clip is.
struct DataOptions {
  int num_frames = 8;
  int sampling_rate = 8;  // frames of the source between two frames of a clip
  double target_fps = 30.0;
  int train_crop_size = 224, test_crop_size = 256;  // pixels
  std::vector<int> input_channel_num{3, 3};
  std::vector<int> train_jitter_scales{256, 320};    // short side in pixels
  std::vector<double> train_jitter_scales_relative;  // crop area as a fraction of the picture
  std::vector<double> train_jitter_aspect_relative;
  std::vector<double> mean{0.45, 0.45, 0.45}, std{0.225, 0.225, 0.225};
  bool random_flip = true;
  bool reverse_input_channel = false;
  bool use_offset_sampling = false;
  bool multi_label = false;
  std::string ensemble_method = "sum";
};

// Section SOLVER.
struct SolverOptions {
  double base_lr = 0.1;
  std::string lr_policy = "cosine";
  double cosine_end_lr = 0.0;
  bool cosine_after_warmup = false;
  double warmup_epochs = 0.0, warmup_start_lr = 0.01;
  int max_epoch = 300;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  bool zero_wd_1d_param = false;
  std::vector<double> betas{0.9, 0.999};
  std::string optimizing_method = "sgd";
  bool base_lr_scale_num_shards = false;
  std::optional<double> clip_grad_val, clip_grad_l2norm;
  double layer_decay = 1.0;
};

// Sections TRAIN, TEST, MIXUP and AUG: the keys that are used.
struct TrainOptions {
  int batch_size = 64;
  int eval_period = 10;
  int checkpoint_period = 10;
};
struct TestOptions {
  int batch_size = 8;
  int num_ensemble_views = 10;
  int num_spatial_crops = 3;
};
struct MixupOptions {
  bool enable = false;
  double alpha = 0.8, cutmix_alpha = 1.0, prob = 1.0, switch_prob = 0.5;
  double label_smooth_value = 0.1;
};
struct AugOptions {
  bool enable = false;
  int num_sample = 1;
  std::string aa_type;
  double re_prob = 0.25;
};

// Section MASK: masked pre-training (MODEL.MODEL_NAME MaskMViT).
// Sources: MaskFeat (arXiv 2112.09133), masked autoencoders for video (arXiv 2205.09113).
struct MaskOptions {
  bool enable = false;
  bool mae_on = false;                  // masked autoencoder: the trunk sees the visible tokens only
  std::vector<int> pretrain_depth{15};  // blocks whose output feeds a prediction head
  std::string head_type = "separate";   // separate: norm and linear; separate_xformer: transformer blocks before
  int decoder_depth = 0;                // transformer blocks of a separate_xformer head
  int decoder_embed_dim = 512;
  bool decoder_sep_pos_embed = false;
  bool pred_hog = false;         // predict gradient histograms, else pixels
  bool time_stride_loss = true;  // predict every stride_t-th frame, else all
  bool norm_pred_pixel = true;   // normalise pixels per patch
};

// Section REELTAG: keys that PySlowFast does not have.
struct OwnOptions {
  std::string sampler = "rate";  // rate: NUM_FRAMES at SAMPLING_RATE; uniform: NUM_FRAMES spread over the whole view
  int segment_frames = 2;        // uniform: training draws each frame from this many candidates
  double min_view = 1.0;         // uniform: training draws views from this fraction of the video up to all of it
  double label_smoothing = 0.0;  // with MIXUP off
  double head_prior = 0.0;       // multi-label: the classifier's bias starts at log(head_prior); 0 leaves it
  int short_side = 0;            // pixels; frames are decoded at this short side. 0: TRAIN_JITTER_SCALES' first
  bool whole_picture = false;    // test clips keep the picture's aspect ratio instead of a square crop
  double test_crop_share = 0.0;  // side of the test crop / short side. 0: TEST_CROP_SIZE / short side
};

struct Recipe {
  MvitOptions mvit;
  ModelOptions model;
  DataOptions data;
  SolverOptions solver;
  TrainOptions train;
  TestOptions test;
  MixupOptions mixup;
  AugOptions aug;
  MaskOptions mask;
  bool detection_enable = false;  // DETECTION.ENABLE
  OwnOptions own;
  std::int64_t rng_seed = 0;
  int num_shards = 1;
  std::vector<std::string> warnings;  // irregularities of the file that were accepted

  [[nodiscard]] bool is_image() const { return mvit.patch_2d; }
  [[nodiscard]] bool is_pretraining() const { return model.model_name == "MaskMViT"; }
};

// Reads YAML text; origin is the file name for messages. Throws Exception(invalid_config).
Recipe parse_recipe(std::string_view text, const std::string& origin);

// Loads a file, or a shipped recipe by name ("MVITv2_S_16x4", "Kinetics/MVITv2_S_16x4", "starter").
// Throws not_found with the nearest shipped names.
Recipe load_recipe(const std::string& name_or_file);

// Names of the shipped recipes, sorted. recipes_folder() is configs/ of the source tree or of the installation.
std::vector<std::string> shipped_recipes();
std::filesystem::path recipes_folder();

// Sets one key, e.g. "MVIT.DEPTH" or "MVIT.REV.ENABLE". Throws Exception(invalid_config).
void set(Recipe& recipe, std::string_view key, const nlohmann::json& value);

// Writes every key with its value; parse_recipe() of the result returns the same recipe.
std::string to_yaml(const Recipe& recipe);

}  // namespace reeltag::model
