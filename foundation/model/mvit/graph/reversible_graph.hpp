// The trunk of a reversible net as operations of a graph, forwards only. Private. Functions, any thread.
// Source: see model/mvit/reversible.hpp, whose numbers these are.
#pragma once

#include "operations.hpp"
#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// fc1, GELU, fc2.
Node mlp(const Layers& layers, const Node& x, std::int64_t hidden, std::int64_t out);

// Merges the halves of the last axis.
Node fuse_streams(const Fusion& fusion, const Layers& layers, const Node& streams);

// x [B,N,C] over grid -> both streams [B,N',2C'].
Node reversible_trunk(const Plan& plan, const Layers& layers, const Node& x, Triple grid);

}  // namespace reeltag::model
