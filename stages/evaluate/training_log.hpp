// The log that a training leaves in its run: log.jsonl, a line an epoch. Functions, any thread.
#pragma once

#include <filesystem>
#include <vector>

namespace reeltag::evaluate {

// NaN for what the line does not say. Shares are in [0,1].
struct Epoch {
  double epoch, train_loss, train_top1, val_loss, val_top1, rate, seconds_wait;
};

// Ascending epochs; of an epoch that was trained twice (a resumed run) the later line. Empty when there is no such
// file. Lines that are no epoch are passed over: a report without them is still a report.
std::vector<Epoch> read_training_log(const std::filesystem::path& path);

}  // namespace reeltag::evaluate
