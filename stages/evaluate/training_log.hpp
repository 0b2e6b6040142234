// Reads a run's training log: log.jsonl, one line per epoch. Private. Functions, any thread.
#pragma once

#include <filesystem>
#include <vector>

namespace reeltag::evaluate {

// NaN for values that the line lacks. Shares are in [0,1].
struct Epoch {
  double epoch, train_loss, train_top1, val_loss, val_top1, rate, seconds_wait;
};

// Returns the epochs in ascending order; of an epoch that was trained twice (a resumed run), the later line. Empty if
// the file does not exist. Invalid lines are skipped, since the report is useful without them.
std::vector<Epoch> read_training_log(const std::filesystem::path& path);

}  // namespace reeltag::evaluate
