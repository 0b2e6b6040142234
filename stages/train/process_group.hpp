// The processes that train one model together: c10d's Gloo on the CPU, over TCP (docs/adr/0075).
//
// One thread. Every rank makes the same calls in the same order. Where a rank is gone, calls throw RankLost with its
// number and, where it said one, its reason, at once when its connection closes and else within the timeout; then
// nothing but the destructor may be called. A world of one opens nothing, and its calls do nothing.
//
//   ProcessGroup peers(world, std::chrono::seconds(300));
//   peers.broadcast(weights);
//   peers.sum({gradient});
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
  // Waits for all ranks. Throws RankLost where they do not come in time.
  ProcessGroup(const World& world, std::chrono::seconds timeout);
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  [[nodiscard]] int rank() const { return world_.rank; }
  [[nodiscard]] int size() const { return world_.size; }
  [[nodiscard]] bool first() const { return world_.rank == 0; }
  // This rank's share of what is divided.
  [[nodiscard]] Share share() const {
    return {.index = static_cast<std::size_t>(world_.rank), .of = static_cast<std::size_t>(world_.size)};
  }

  // Sums over the ranks, in place: contiguous tensors on the CPU, of equal shapes everywhere. All ranks get the same
  // bits, and get them again when it is repeated.
  void sum(const std::vector<at::Tensor>& tensors);
  // Rank 0's values into everybody's tensors, on any device.
  void broadcast(const std::vector<at::Tensor>& tensors);
  // What each rank gives, in the order of the ranks.
  std::vector<std::string> gather(const std::string& bytes);
  void barrier();

  // Ends this rank's part early: the others' RankLost says why.
  void leave(const std::string& reason);

 private:
  struct Gloo;
  template <class Operation>
  void run(const Operation& operation);
  [[noreturn]] void lost(const std::string& cause);

  World world_;
  std::chrono::milliseconds timeout_;
  std::unique_ptr<Gloo> group_;  // none in a world of one
};

// What one rank's part of a batch gave.
struct StepFigures {
  double loss = 0.0;  // mean over its clips
  std::int64_t clips = 0, hits = 0;
};

// Where this rank's clips stand in the batch that is next, and whether any rank wants to stop before it.
struct StepPlan {
  std::int64_t first = 0, clips = 0;  // clips: of the whole batch
  bool stop = false;
};
StepPlan plan_step(ProcessGroup& group, std::size_t own_clips, bool stop);

// The gradients of one step of all ranks together.
class GradientSum {
 public:
  GradientSum(ProcessGroup& group, const model::NamedTensors& parameters);
  // Every gradient becomes that of the mean over all clips, from means over each rank's own; a parameter stays without
  // gradient only where no rank has one. Returns each rank's figures.
  std::vector<StepFigures> reduce(const StepFigures& own);

 private:
  void fill(double weight, at::Tensor& given);
  void take(const at::Tensor& given);

  ProcessGroup& ranks_;
  std::vector<at::Tensor> parameters_;                        // those that learn
  std::vector<at::Tensor> buckets_;                           // their gradients one after the other
  std::vector<std::pair<std::size_t, std::int64_t>> places_;  // of each parameter: bucket, offset
};

}  // namespace reeltag::train
