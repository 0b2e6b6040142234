// MViT and MViTv2 as an inference graph: the same nets as model/mvit.hpp, from a plan and named weights, without
// libtorch. Numerically equal to PySlowFast's slowfast/models@287ec007 within float32 (MVIT.md's reference vectors).
//
// What differs from the training net is how, not what, it computes:
// - the class token is carried beside the patches, so that nothing large is cut or joined for it;
// - keys, not queries, are scaled, by scaling constants;
// - position bias widens queries and keys: one matrix product gives scores and bias;
// - of the last block only what the head reads is computed.
//
// Functions, any thread. Throws Exception: not_found (weights that are missing), corrupt (of another shape),
// invalid_argument (clips that the net's stem and pooling do not fit).
//
//   const infer::Graph graph = model::mvit_graph(plan, weights, {.batch = 1, .frames = 16, .height = 224, .width =
//   224}); const infer::CompiledNet net(graph, {}); net.run({{"clips", clips}}, {{"logits", logits}});
#pragma once

#include <cstdint>

#include "reeltag/infer.hpp"
#include "reeltag/model/plan.hpp"
#include "reeltag/model/weights.hpp"

namespace reeltag::model {

// Sizes of the clips [batch,3,frames,height,width]; images have no frames axis.
struct ClipSize {
  int batch = 1, frames = 1, height = 0, width = 0;
  bool operator==(const ClipSize&) const = default;
};
ClipSize trained_size(const Plan& plan, int batch);

// Input "clips" [batch,channels,frames,height,width], normalised. Outputs "logits" [batch,classes] before the
// activation, and "embedding" [batch,dim_out], the classifier's input.
infer::Graph mvit_graph(const Plan& plan, const Weights& weights, const ClipSize& size);

}  // namespace reeltag::model
