// Synchronizes training state other than gradients across ranks: settings, initial weights, validation scores, failed
// videos. No-ops with one rank. Private. Functions; one thread. Throws RankLost, like ProcessGroup.
#pragma once

#include <cstddef>
#include <vector>

#include "checkpoint.hpp"
#include "process_group.hpp"
#include "reeltag/dataset.hpp"
#include "reeltag/model/mvit.hpp"
#include "reeltag/model/optim.hpp"

namespace reeltag::train {

// Throws invalid_config if the batch size is not divisible by the number of ranks; the message suggests sizes.
void check_divisible(int batch_size, const World& world);

// Throws invalid_config, naming the difference, if a rank's dataset, run, recipe or settings differ from rank 0's.
void agree(ProcessGroup& group, const dataset::Dataset& set, const Options& options, const model::Recipe& recipe);

// Copies rank 0's weights, optimizer moments and position to all ranks.
void share_state(ProcessGroup& group, const model::Mvit& net, const model::AdamW& optimizer, Position& position);

// Scored items and their scores, [item][class].
struct ItemScores {
  std::vector<std::size_t> items;
  std::vector<std::vector<float>> scores;
  double loss_sum = 0.0;
};
// Concatenates the ranks' scores in rank order: the result that one process would give.
ItemScores gather_all(ProcessGroup& group, const ItemScores& own);

// Merges the failures of all ranks; each video once.
std::vector<Failure> gather_all(ProcessGroup& group, const std::vector<Failure>& own);

}  // namespace reeltag::train
