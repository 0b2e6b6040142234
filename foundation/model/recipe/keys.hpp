// The keys of a recipe: one visit() per section serves reading, writing and setting a key. Private. Any thread.
#pragma once

#include "reeltag/model/recipe.hpp"

namespace reeltag::model {

template <class V>
void visit(V& v, MvitOptions& c) {
  v("MVIT.MODE", c.mode);
  v("MVIT.POOL_FIRST", c.pool_first);
  v("MVIT.CLS_EMBED_ON", c.cls_embed_on);
  v("MVIT.PATCH_KERNEL", c.patch_kernel);
  v("MVIT.PATCH_STRIDE", c.patch_stride);
  v("MVIT.PATCH_PADDING", c.patch_padding);
  v("MVIT.PATCH_2D", c.patch_2d);
  v("MVIT.EMBED_DIM", c.embed_dim);
  v("MVIT.NUM_HEADS", c.num_heads);
  v("MVIT.MLP_RATIO", c.mlp_ratio);
  v("MVIT.QKV_BIAS", c.qkv_bias);
  v("MVIT.DROPPATH_RATE", c.droppath_rate);
  v("MVIT.LAYER_SCALE_INIT_VALUE", c.layer_scale_init_value);
  v("MVIT.DEPTH", c.depth);
  v("MVIT.NORM", c.norm);
  v("MVIT.DIM_MUL", c.dim_mul);
  v("MVIT.HEAD_MUL", c.head_mul);
  v("MVIT.POOL_KV_STRIDE", c.pool_kv_stride);
  v("MVIT.POOL_KV_STRIDE_ADAPTIVE", c.pool_kv_stride_adaptive);
  v("MVIT.POOL_Q_STRIDE", c.pool_q_stride);
  v("MVIT.POOL_KVQ_KERNEL", c.pool_kvq_kernel);
  v("MVIT.ZERO_DECAY_POS_CLS", c.zero_decay_pos_cls);
  v("MVIT.NORM_STEM", c.norm_stem);
  v("MVIT.SEP_POS_EMBED", c.sep_pos_embed);
  v("MVIT.DROPOUT_RATE", c.dropout_rate);
  v("MVIT.USE_ABS_POS", c.use_abs_pos);
  v("MVIT.REL_POS_SPATIAL", c.rel_pos_spatial);
  v("MVIT.REL_POS_TEMPORAL", c.rel_pos_temporal);
  v("MVIT.REL_POS_ZERO_INIT", c.rel_pos_zero_init);
  v("MVIT.RESIDUAL_POOLING", c.residual_pooling);
  v("MVIT.DIM_MUL_IN_ATT", c.dim_mul_in_att);
  v("MVIT.SEPARATE_QKV", c.separate_qkv);
  v("MVIT.HEAD_INIT_SCALE", c.head_init_scale);
  v("MVIT.USE_MEAN_POOLING", c.use_mean_pooling);
  v("MVIT.USE_FIXED_SINCOS_POS", c.use_fixed_sincos_pos);
  v("MVIT.REV.ENABLE", c.rev_enable);
  v("MVIT.REV.RESPATH_FUSE", c.rev_respath_fuse);
  v("MVIT.REV.BUFFER_LAYERS", c.rev_buffer_layers);
  v("MVIT.REV.RES_PATH", c.rev_res_path);
  v("MVIT.REV.PRE_Q_FUSION", c.rev_pre_q_fusion);
}

template <class V>
void visit(V& v, ModelOptions& c) {
  v("MODEL.MODEL_NAME", c.model_name);
  v("MODEL.ARCH", c.arch);
  v("MODEL.NUM_CLASSES", c.num_classes);
  v("MODEL.LOSS_FUNC", c.loss_func);
  v("MODEL.DROPOUT_RATE", c.dropout_rate);
  v("MODEL.HEAD_ACT", c.head_act);
  v("MODEL.DETACH_FINAL_FC", c.detach_final_fc);
  v("MODEL.ACT_CHECKPOINT", c.act_checkpoint);
}

template <class V>
void visit(V& v, DataOptions& c) {
  v("DATA.NUM_FRAMES", c.num_frames);
  v("DATA.SAMPLING_RATE", c.sampling_rate);
  v("DATA.TARGET_FPS", c.target_fps);
  v("DATA.TRAIN_CROP_SIZE", c.train_crop_size);
  v("DATA.TEST_CROP_SIZE", c.test_crop_size);
  v("DATA.INPUT_CHANNEL_NUM", c.input_channel_num);
  v("DATA.TRAIN_JITTER_SCALES", c.train_jitter_scales);
  v("DATA.TRAIN_JITTER_SCALES_RELATIVE", c.train_jitter_scales_relative);
  v("DATA.TRAIN_JITTER_ASPECT_RELATIVE", c.train_jitter_aspect_relative);
  v("DATA.MEAN", c.mean);
  v("DATA.STD", c.std);
  v("DATA.RANDOM_FLIP", c.random_flip);
  v("DATA.REVERSE_INPUT_CHANNEL", c.reverse_input_channel);
  v("DATA.USE_OFFSET_SAMPLING", c.use_offset_sampling);
  v("DATA.MULTI_LABEL", c.multi_label);
  v("DATA.ENSEMBLE_METHOD", c.ensemble_method);
}

template <class V>
void visit(V& v, SolverOptions& c) {
  v("SOLVER.BASE_LR", c.base_lr);
  v("SOLVER.LR_POLICY", c.lr_policy);
  v("SOLVER.COSINE_END_LR", c.cosine_end_lr);
  v("SOLVER.COSINE_AFTER_WARMUP", c.cosine_after_warmup);
  v("SOLVER.WARMUP_EPOCHS", c.warmup_epochs);
  v("SOLVER.WARMUP_START_LR", c.warmup_start_lr);
  v("SOLVER.MAX_EPOCH", c.max_epoch);
  v("SOLVER.MOMENTUM", c.momentum);
  v("SOLVER.WEIGHT_DECAY", c.weight_decay);
  v("SOLVER.ZERO_WD_1D_PARAM", c.zero_wd_1d_param);
  v("SOLVER.BETAS", c.betas);
  v("SOLVER.OPTIMIZING_METHOD", c.optimizing_method);
  v("SOLVER.BASE_LR_SCALE_NUM_SHARDS", c.base_lr_scale_num_shards);
  v("SOLVER.CLIP_GRAD_VAL", c.clip_grad_val);
  v("SOLVER.CLIP_GRAD_L2NORM", c.clip_grad_l2norm);
  v("SOLVER.LAYER_DECAY", c.layer_decay);
}

template <class V>
void visit(V& v, Recipe& c) {
  v("RNG_SEED", c.rng_seed);
  v("NUM_SHARDS", c.num_shards);
  visit(v, c.model);
  visit(v, c.mvit);
  visit(v, c.data);
  visit(v, c.solver);
  v("TRAIN.BATCH_SIZE", c.train.batch_size);
  v("TRAIN.EVAL_PERIOD", c.train.eval_period);
  v("TRAIN.CHECKPOINT_PERIOD", c.train.checkpoint_period);
  v("TEST.BATCH_SIZE", c.test.batch_size);
  v("TEST.NUM_ENSEMBLE_VIEWS", c.test.num_ensemble_views);
  v("TEST.NUM_SPATIAL_CROPS", c.test.num_spatial_crops);
  v("MIXUP.ENABLE", c.mixup.enable);
  v("MIXUP.ALPHA", c.mixup.alpha);
  v("MIXUP.CUTMIX_ALPHA", c.mixup.cutmix_alpha);
  v("MIXUP.PROB", c.mixup.prob);
  v("MIXUP.SWITCH_PROB", c.mixup.switch_prob);
  v("MIXUP.LABEL_SMOOTH_VALUE", c.mixup.label_smooth_value);
  v("AUG.ENABLE", c.aug.enable);
  v("AUG.NUM_SAMPLE", c.aug.num_sample);
  v("AUG.AA_TYPE", c.aug.aa_type);
  v("AUG.RE_PROB", c.aug.re_prob);
  v("MASK.ENABLE", c.mask.enable);
  v("MASK.MAE_ON", c.mask.mae_on);
  v("MASK.PRETRAIN_DEPTH", c.mask.pretrain_depth);
  v("MASK.HEAD_TYPE", c.mask.head_type);
  v("MASK.DECODER_DEPTH", c.mask.decoder_depth);
  v("MASK.DECODER_EMBED_DIM", c.mask.decoder_embed_dim);
  v("MASK.DECODER_SEP_POS_EMBED", c.mask.decoder_sep_pos_embed);
  v("MASK.PRED_HOG", c.mask.pred_hog);
  v("MASK.TIME_STRIDE_LOSS", c.mask.time_stride_loss);
  v("MASK.NORM_PRED_PIXEL", c.mask.norm_pred_pixel);
  v("DETECTION.ENABLE", c.detection_enable);
  v("REELTAG.SAMPLER", c.own.sampler);
  v("REELTAG.SEGMENT_FRAMES", c.own.segment_frames);
  v("REELTAG.MIN_VIEW", c.own.min_view);
  v("REELTAG.LABEL_SMOOTHING", c.own.label_smoothing);
  v("REELTAG.HEAD_PRIOR", c.own.head_prior);
  v("REELTAG.SHORT_SIDE", c.own.short_side);
  v("REELTAG.TEST_CROP_SHARE", c.own.test_crop_share);
  v("REELTAG.WHOLE_PICTURE", c.own.whole_picture);
}

// PySlowFast keys that are accepted and ignored. ".*" ends the name of a section that is ignored as a whole.
inline constexpr const char* kIgnoredKeys[] = {
    "TASK",
    "LOG_MODEL_INFO",
    "NUM_GPUS",
    "SHARD_ID",
    "OUTPUT_DIR",
    "LOG_PERIOD",
    "DIST_BACKEND",
    "BN.*",
    "DATA_LOADER.*",
    "DETECTION.ALIGNED",
    "DETECTION.ROI_XFORM_RESOLUTION",
    "DETECTION.SPATIAL_SCALE_FACTOR",
    "MASK.DEC_KV_KERNEL",
    "MASK.DEC_KV_STRIDE",
    "MASK.MAE_RND_MASK",
    "MASK.PER_FRAME_MASKING",
    "MASK.SCALE_INIT_BY_DEPTH",
    "CONTRASTIVE.*",
    "TENSORBOARD.*",
    "AVA.*",
    "RESNET.*",
    "SLOWFAST.*",
    "MULTIGRID.*",
    "DEMO.*",
    "BENCHMARK.*",
    "VIS_MASK.*",
    "AUG.COLOR_JITTER",
    "AUG.INTERPOLATION",
    "AUG.RE_MODE",
    "AUG.RE_COUNT",
    "AUG.RE_SPLIT",
    "AUG.GEN_MASK_LOADER",
    "AUG.MASK_TUBE",
    "AUG.MASK_FRAMES",
    "AUG.MASK_WINDOW_SIZE",
    "AUG.MASK_RATIO",
    "AUG.MAX_MASK_PATCHES_PER_BLOCK",
    "DATA.PATH_TO_DATA_DIR",
    "DATA.PATH_LABEL_SEPARATOR",
    "DATA.PATH_PREFIX",
    "DATA.PATH_TO_PRELOAD_IMDB",
    "DATA.DECODING_BACKEND",
    "DATA.DECODING_SHORT_SIZE",
    "DATA.DUMMY_LOAD",
    "DATA.COLOR_RND_GRAYSCALE",
    "DATA.IN22K_TRAINVAL",
    "DATA.IN22k_VAL_IN1K",
    "DATA.INV_UNIFORM_SAMPLE",
    "DATA.IN_VAL_CROP_RATIO",
    "DATA.LOADER_CHUNK_OVERALL_SIZE",
    "DATA.LOADER_CHUNK_SIZE",
    "DATA.SKIP_ROWS",
    "DATA.SSL_BLUR_SIGMA_MAX",
    "DATA.SSL_BLUR_SIGMA_MIN",
    "DATA.SSL_COLOR_BRI_CON_SAT",
    "DATA.SSL_COLOR_HUE",
    "DATA.SSL_COLOR_JITTER",
    "DATA.SSL_MOCOV2_AUG",
    "DATA.TIME_DIFF_PROB",
    "DATA.TRAIN_CROP_NUM_SPATIAL",
    "DATA.TRAIN_CROP_NUM_TEMPORAL",
    "DATA.TRAIN_JITTER_FPS",
    "DATA.TRAIN_JITTER_MOTION_SHIFT",
    "DATA.TRAIN_PCA_EIGVAL",
    "DATA.TRAIN_PCA_EIGVEC",
    "MODEL.SINGLE_PATHWAY_ARCH",
    "MODEL.MULTI_PATHWAY_ARCH",
    "MODEL.DROPCONNECT_RATE",
    "MODEL.FC_INIT_STD",
    "MODEL.FROZEN_BN",
    "MODEL.FP16_ALLREDUCE",
    "SOLVER.DAMPENING",
    "SOLVER.GAMMA",
    "SOLVER.LARS_ON",
    "SOLVER.LRS",
    "SOLVER.NESTEROV",
    "SOLVER.STEPS",
    "SOLVER.STEP_SIZE",
    "SOLVER.WARMUP_FACTOR",
    "TEST.ENABLE",
    "TEST.DATASET",
    "TEST.CHECKPOINT_FILE_PATH",
    "TEST.CHECKPOINT_TYPE",
    "TEST.NUM_TEMPORAL_CLIPS",
    "TEST.SAVE_RESULTS_PATH",
    "TRAIN.ENABLE",
    "TRAIN.DATASET",
    "TRAIN.AUTO_RESUME",
    "TRAIN.CHECKPOINT_FILE_PATH",
    "TRAIN.CHECKPOINT_TYPE",
    "TRAIN.CHECKPOINT_INFLATE",
    "TRAIN.CHECKPOINT_IN_INIT",
    "TRAIN.CHECKPOINT_EPOCH_RESET",
    "TRAIN.CHECKPOINT_CLEAR_NAME_PATTERN",
    "TRAIN.KILL_LOSS_EXPLOSION_FACTOR",
    "TRAIN.MIXED_PRECISION",
};

}  // namespace reeltag::model
