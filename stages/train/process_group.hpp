// Collective operations among the ranks that train one model: c10d's Gloo on the CPU, over TCP (docs/adr/0075).
// Private.
//
// One thread. Every rank must make the same calls in the same order. If a rank is lost, calls throw RankLost with its
// number and, if it gave one, its reason: at once if its connection closes, else within the timeout. After that, only
// the destructor may be called. Owns its connections. No-ops with one rank.
//
//   ProcessGroup group(world, std::chrono::seconds(300));
//   group.broadcast(weights);
//   group.sum({gradient});
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "loader.hpp"
#include "reeltag/model/optim.hpp"
#include "reeltag/train.hpp"

namespace reeltag::train {

class RankLost : public Exception {
 public:
  explicit RankLost(const std::string& message) : Exception(Code::unavailable, message) {}
};

class ProcessGroup {
 public:
  // Waits for all ranks to join. Throws RankLost if they do not join in time.
  ProcessGroup(const World& world, std::chrono::seconds timeout);
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  [[nodiscard]] int rank() const { return world_.rank; }
  [[nodiscard]] int size() const { return world_.size; }
  [[nodiscard]] bool first() const { return world_.rank == 0; }
  // This rank's share of divided work.
  [[nodiscard]] Share share() const {
    return {.index = static_cast<std::size_t>(world_.rank), .of = static_cast<std::size_t>(world_.size)};
  }

  // All-reduce (sum), in place: contiguous CPU tensors of equal shapes on all ranks. All ranks get bit-identical
  // results, and a repeated call gives the same bits.
  void sum(const std::vector<at::Tensor>& tensors);
  // Copies rank 0's values to all ranks' tensors, on any device.
  void broadcast(const std::vector<at::Tensor>& tensors);
  // Returns every rank's bytes, in rank order.
  std::vector<std::string> gather(const std::string& bytes);
  void barrier();

  // Leaves the group early; the other ranks' RankLost contains the reason.
  void leave(const std::string& reason);

 private:
  struct Gloo;
  template <class Operation>
  void run(const Operation& operation);
  [[noreturn]] void lost(const std::string& cause);

  World world_;
  std::chrono::milliseconds timeout_;
  std::unique_ptr<Gloo> group_;  // null with one rank
};

// Metrics of one rank's part of a batch.
struct StepFigures {
  double loss = 0.0;  // mean over its clips
  std::int64_t clips = 0, hits = 0;
};

// Position of this rank's clips in the next batch, and whether any rank requests a stop before it.
struct StepPlan {
  std::int64_t first = 0, clips = 0;  // clips: in the whole batch
  bool stop = false;
};
StepPlan plan_step(ProcessGroup& group, std::size_t own_clips, bool stop);

// Averages the gradients of one step over all ranks.
class GradientSum {
 public:
  GradientSum(ProcessGroup& group, const model::NamedTensors& parameters);
  // Replaces every gradient, a mean over this rank's clips, by the mean over all ranks' clips. A parameter stays
  // without gradient only if no rank has one. Returns each rank's figures.
  std::vector<StepFigures> reduce(const StepFigures& own);

 private:
  void fill(double weight, at::Tensor& given);
  void take(const at::Tensor& given);

  ProcessGroup& ranks_;
  std::vector<at::Tensor> parameters_;                        // trainable parameters
  std::vector<at::Tensor> buckets_;                           // their gradients, concatenated
  std::vector<std::pair<std::size_t, std::int64_t>> places_;  // per parameter: bucket, offset
};

}  // namespace reeltag::train
