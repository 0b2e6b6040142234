// What the processes of one training tell each other besides gradients. In a world of one nothing changes and nothing
// is said.
#pragma once

#include <cstddef>
#include <vector>

#include "checkpoint.hpp"
#include "process_group.hpp"
#include "reeltag/dataset.hpp"
#include "reeltag/model/mvit.hpp"
#include "reeltag/model/optim.hpp"

namespace reeltag::train {

// Throws invalid_config where the ranks cannot share batches of this size; names sizes that they can share.
void check_divisible(int batch_size, const World& world);

// Throws invalid_config where a rank was started with another dataset, run, recipe or setting than rank 0; names it.
void agree(ProcessGroup& group, const dataset::Dataset& set, const Options& options, const model::Recipe& recipe);

// Rank 0's weights, moments and position become everybody's.
void share_state(ProcessGroup& group, const model::Mvit& net, const model::AdamW& optimizer, Position& position);

// Items that were scored and what they got, [item][class].
struct ItemScores {
  std::vector<std::size_t> items;
  std::vector<std::vector<float>> scores;
  double loss_sum = 0.0;
};
// The ranks' own, one after the other: what one process would have given.
ItemScores gather_all(ProcessGroup& group, const ItemScores& own);

// Those of all ranks, each video once.
std::vector<Failure> gather_all(ProcessGroup& group, const std::vector<Failure>& own);

}  // namespace reeltag::train
