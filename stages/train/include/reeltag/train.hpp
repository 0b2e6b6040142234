// Training: a frozen dataset and a recipe in, a run out.
//
// A run is a folder: recipe.yaml and options.json (what was asked), log.jsonl (a line an epoch), checkpoints/ (weights
// and optimizer, one an epoch, the last two kept), bundle/ (the finished model). Everything random follows from the
// seed, the epoch and the position in it, so a run that was stopped anywhere and resumed ends in the same bits, on the
// same machine with the same number of threads.
// One training at a time in a process. Exceptions end the run (invalid_config, not_found, interrupted with the run left
// resumable); a video that cannot be decoded is counted, named once and left out.
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
  int threads = 0;         // of the network; 0: one for each processor
  int decode_threads = 2;  // that prepare clips
  double cache_gb = 4.0;   // memory for decoded frames; what does not fit is decoded again each epoch
  double precision = 0.5;  // that a hashtag's threshold aims at on the val split
  double min_lift = 0.0;   // hashtags with less than this many times their prior as AP on val are not shipped
  bool half = false;       // the bundle's weights as float16
  std::string device = "auto";
};
template <class V>
void visit(V& v, TrainConfig& c) {
  v("threads", c.threads, "Threads of the network; 0 for one per processor", config::Range{0, 1024});
  v("decode_threads", c.decode_threads, "Threads that decode and prepare clips", config::Range{1, 256});
  v("cache_gb", c.cache_gb, "Memory for decoded frames in GB", config::Range{0, 4096});
  v("precision", c.precision, "Precision that a hashtag's threshold aims at on the val split", config::Range{0, 1});
  v("min_lift", c.min_lift, "A hashtag ships only if its AP on the val split is this many times its prior; 0 ships all",
    config::Range{0, 1000});
  v("half", c.half, "Write the bundle's weights as float16");
  v("device", c.device, "Where the network runs: auto takes a GPU where libtorch finds one",
    config::OneOf{{"auto", "cpu", "cuda"}});
}

using Figures = std::map<std::string, double>;  // by name: "loss", "top1", "map"

// What a validator says of the scores of the val split; labels are indices of the vocabulary.
struct Verdict {
  Figures figures;
  std::vector<double> lift = {};  // per class: AP divided by prior, 0 where no video has it; empty: not measured
};
using Validator =
    std::function<Verdict(const std::vector<std::vector<float>>& scores, const std::vector<std::vector<int>>& labels)>;

struct Options {
  model::Recipe recipe;              // NUM_CLASSES is set from the dataset
  std::filesystem::path run;         // the run's folder; its name is the run's id
  std::filesystem::path start_from;  // a bundle whose weights are the start (fine-tuning); empty: fresh weights
  bool resume = false;               // go on with the run in the folder
  TrainConfig config;
  media::Limits limits;
  std::stop_token stop;
};

struct Failure {
  std::string video;
  Error reason;
};

struct TrainResult {
  std::string run;
  int epochs = 0;
  Figures train, val;           // of the last epoch
  std::vector<Failure> failed;  // videos left out
};

// Throws invalid_config when a group stands on two sides of the split.
TrainResult train(const dataset::Dataset& set, store::Store& store, const Options& options, const Validator& validator);

// What a resumable run was started with; throws not_found where the folder holds none.
struct Started {
  model::Recipe recipe;
  std::string dataset;
  std::filesystem::path start_from;
  TrainConfig config;
};
Started load_started(const std::filesystem::path& run);

// {"run":id,"epochs":n,"train":{...},"val":{...},"failed":[{"video","error":{"code","message"}}]}
std::string to_json(const TrainResult& result);

}  // namespace reeltag::train
