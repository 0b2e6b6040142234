// Where a run stands: weights, optimizer and position in one safetensors file, so that it is whole or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "reeltag/model/mvit.hpp"
#include "reeltag/model/optim.hpp"

namespace reeltag::train {

// The next batch to do and what the epoch has added up so far.
struct Position {
  int epoch = 0;          // 0-based
  std::size_t batch = 0;  // in the epoch
  double loss_sum = 0.0;  // over the epoch's clips
  std::int64_t clips = 0, hits = 0;
};

// Files checkpoints/<epoch>-<batch>.safetensors below the run; keeps the newest two.
void save_checkpoint(const std::filesystem::path& run, const model::Mvit& net, const model::AdamW& optimizer,
                     const Position& position);

// The newest one that can be read, loaded into net and optimizer; nothing when there is none.
std::optional<Position> load_checkpoint(const std::filesystem::path& run, model::Mvit& net, model::AdamW& optimizer);

}  // namespace reeltag::train
