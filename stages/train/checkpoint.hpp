// Saves and restores a run's progress: weights, optimizer and position in one safetensors file, written atomically.
// Private. Functions; one thread. Throws Exception if a file cannot be written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "reeltag/model/mvit.hpp"
#include "reeltag/model/optim.hpp"

namespace reeltag::train {

// The next batch, and the sums of the current epoch so far.
struct Position {
  int epoch = 0;          // 0-based
  std::size_t batch = 0;  // within the epoch
  double loss_sum = 0.0;  // over the epoch's clips
  std::int64_t clips = 0, hits = 0;
};

// Writes checkpoints/<epoch>-<batch>.safetensors below the run's folder; keeps the newest two.
void save_checkpoint(const std::filesystem::path& run, const model::Mvit& net, const model::AdamW& optimizer,
                     const Position& position);

// Loads the newest readable checkpoint into net and optimizer; nullopt if there is none.
std::optional<Position> load_checkpoint(const std::filesystem::path& run, model::Mvit& net, model::AdamW& optimizer);

}  // namespace reeltag::train
