// Writes a run's settings and log; checkpoints and bundle are written elsewhere. Private; needs no libtorch. Functions;
// one thread per run.
#pragma once

#include <filesystem>

#include "reeltag/train.hpp"

namespace reeltag::train {

// Throws already_exists if the folder holds a run.
void check_unused(const std::filesystem::path& run);

// Writes recipe.yaml and options.json, which load_run_settings() reads.
void write_started(const dataset::Dataset& set, const Options& options);

// Drops the log lines of epochs that a resumed run will repeat.
void trim_log(const std::filesystem::path& run, int epochs);

struct EpochLine {
  int epoch = 0;  // from 1
  double learning_rate = 0.0, seconds = 0.0, seconds_wait = 0.0, cpu_ms_per_clip = 0.0;
  std::int64_t clips = 0;
  Figures train, val;
};
// Appends the line to log.jsonl and logs it.
void write_epoch(const std::filesystem::path& run, const EpochLine& line);

}  // namespace reeltag::train
