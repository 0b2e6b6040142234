// Trains a model from a frozen dataset and a recipe; the result is a run.
//
// A run is a folder: recipe.yaml and options.json (the request), log.jsonl (one line per epoch), checkpoints/ (weights
// and optimizer, one per epoch, the last two kept), bundle/ (the finished model). All randomness follows from the seed,
// the epoch and the position in it, so a run that is stopped at any point and resumed gives bit-identical results on
// the same machine with the same number of threads.
// Several processes, on one host or many, can train one model together: see World (docs/training.md, docs/adr/0075).
// One training per process at a time. The store and dataset must outlive the call. Exceptions end the run
// (invalid_config, not_found, interrupted with the run left resumable); a video that cannot be decoded is counted,
// reported once and left out.
//
//   auto result = train::train(set, *store, {.recipe = recipe, .run = home / "runs" / id}, validator);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/dataset.hpp"
#include "reeltag/media.hpp"
#include "reeltag/model/recipe.hpp"
#include "reeltag/store.hpp"

namespace reeltag::train {

struct TrainConfig {
  int threads = 0;          // of the net; 0: one per processor
  int decode_threads = 2;   // threads that prepare clips
  double cache_gb = 4.0;    // memory for decoded frames; the rest is decoded again each epoch
  double precision = 0.5;   // target precision of a hashtag's threshold on the val split
  int image_frames = 8;     // per video, for the image encoder's blocks
  double net_weight = 0.0;  // factor on the MViT's block; 0: chosen on val, or left out
  double min_lift = 0.0;    // hashtags whose AP on unseen groups is below min_lift times their prior do not ship
  bool half = false;        // write the bundle's weights as float16
  int rank_timeout = 300;   // seconds; with several processes
  std::string device = "auto";
};
template <class V>
void visit(V& v, TrainConfig& c) {
  v("threads", c.threads, "Threads of the network; 0 for one per processor", config::Range{0, 1024});
  v("decode_threads", c.decode_threads, "Threads that decode and prepare clips", config::Range{1, 256});
  v("cache_gb", c.cache_gb, "Memory for decoded frames in GB", config::Range{0, 4096});
  v("precision", c.precision, "Precision that a hashtag's threshold aims at on the val split", config::Range{0, 1});
  v("image_frames", c.image_frames, "Frames of a video that the image encoder sees, with frozen features",
    config::Range{1, 64});
  v("net_weight", c.net_weight,
    "Factor on the MViT's features beside the image encoder's; 0: chosen on val, left out where it does not clearly "
    "help",
    config::Range{0, 1000});
  v("min_lift", c.min_lift, "A hashtag ships only if its AP on unseen groups is this many times its prior; 0 ships all",
    config::Range{0, 1000});
  v("half", c.half, "Write the bundle's weights as float16");
  v("rank_timeout", c.rank_timeout,
    "Seconds that a process waits for the others of one training before it takes them for lost",
    config::Range{1, 86'400});
  v("device", c.device, "Where the network runs: auto takes a GPU where libtorch finds one",
    config::OneOf{{"auto", "cpu", "cuda"}});
}

using Figures = std::map<std::string, double>;  // by name: "loss", "top1", "map"

// A validator's metrics of the scores of the val split; labels are vocabulary indices.
struct ValidationResult {
  Figures figures;
  std::vector<double> lift = {};  // per class: AP / prior, 0 if too few videos have it; empty: not measured
};
using Validator = std::function<ValidationResult(const std::vector<std::vector<float>>& scores,
                                                 const std::vector<std::vector<int>>& labels)>;

// The ranks that train one model together, and this process's place among them.
struct World {
  int rank = 0, size = 1;
  int local_rank = 0;   // rank among the processes of this host
  std::string address;  // rendezvous address, on which rank 0 listens
  int port = 29500;
  bool launcher_store = false;  // the launcher listens there instead of rank 0 (torchrun)
  int attempt = 0;              // restart count of the launcher; separates the attempts' messages
};
// Reads the environment that torchrun, PyTorchJob and similar launchers set: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,
// MASTER_PORT; or Slurm's SLURM_PROCID, SLURM_NTASKS and SLURM_LOCALID if MASTER_ADDR is set and RANK is not. Without
// them, or with a size of 1: one process. Throws invalid_config naming the variable that is missing or wrong.
World world_from_environment();

struct Options {
  model::Recipe recipe;              // NUM_CLASSES is set from the dataset
  std::filesystem::path run;         // the run's folder; its name is the run's id
  std::filesystem::path start_from;  // a bundle to initialise from (fine-tuning); empty: fresh weights
  bool resume = false;               // resume the run in the folder
  TrainConfig config;
  media::Limits limits;
  std::stop_token stop;
  World world = {};  // options must be equal on all ranks except rank and local_rank; rank 0 writes the run
};

struct Failure {
  std::string video;
  Error reason;
};

// Facts about the fit of a head on frozen features.
struct FrozenReport {
  std::vector<std::string> blocks;
  double strength = 0.0;                // C: larger is weaker regularisation
  double net_weight = 1.0;              // factor on the MViT's block
  std::int64_t kept = 0, computed = 0;  // videos whose features were cached, and were not
  double seconds_computing = 0.0, seconds_saved = 0.0, seconds_fit = 0.0;
};

struct TrainResult {
  std::string run;
  int epochs = 0;               // 0 with frozen features
  Figures train, val;           // of the last epoch
  std::vector<Failure> failed;  // videos that were left out
  std::optional<FrozenReport> frozen = {};
};

// Throws invalid_config if a group is on both sides of the split. Every rank returns the whole result. A stop request
// to one rank stops all; if a rank is lost, the others throw unavailable and the run stays resumable.
TrainResult train(const dataset::Dataset& set, store::Store& store, const Options& options, const Validator& validator);

// Options of frozen training: a linear head on features that are computed once and cached in the store.
struct FrozenOptions {
  std::filesystem::path run;        // as in Options
  std::vector<std::string> blocks;  // names of model::Extractor
  std::filesystem::path net;        // bundle whose MViT computes the block "mvit"; not read without that block
  TrainConfig config;
  media::Limits limits;
  std::stop_token stop;
};
// Throws what train() throws, and invalid_config if there is no validation video to choose the head's strength on. If
// interrupted, it keeps the features computed so far, and a restart continues from them.
TrainResult train_frozen(const dataset::Dataset& set, store::Store& store, const FrozenOptions& options,
                         const Validator& validator);

// The settings that a resumable run was started with; load_run_settings() throws not_found if the folder has no run.
struct RunSettings {
  model::Recipe recipe;
  std::string dataset;
  std::filesystem::path start_from;
  TrainConfig config;
};
RunSettings load_run_settings(const std::filesystem::path& run);

// {"run":id,"epochs":n,"train":{...},"val":{...},"failed":[{"video","error":{"code","message"}}]}
std::string to_json(const TrainResult& result);

}  // namespace reeltag::train
