// A run's folder but for its checkpoints and its bundle: what was asked, and a line an epoch. Torch-free.
#pragma once

#include <filesystem>

#include "reeltag/train.hpp"

namespace reeltag::train {

// Throws already_exists where the folder holds a run.
void check_unused(const std::filesystem::path& run);

// recipe.yaml and options.json, which load_started() reads.
void write_started(const dataset::Dataset& set, const Options& options);

// Lines of epochs that will be done again after a resume are dropped.
void trim_log(const std::filesystem::path& run, int epochs);

struct EpochLine {
  int epoch = 0;  // from 1
  double learning_rate = 0.0, seconds = 0.0, seconds_wait = 0.0, cpu_ms_per_clip = 0.0;
  std::int64_t clips = 0;
  Figures train, val;
};
// To log.jsonl and to the log.
void write_epoch(const std::filesystem::path& run, const EpochLine& line);

}  // namespace reeltag::train
