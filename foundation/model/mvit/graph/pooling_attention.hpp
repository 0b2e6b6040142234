// Multi-head pooling attention as operations of a graph. Private. Functions, any thread.
// Source: see model/mvit/attention.hpp, whose numbers these are.
#pragma once

#include <optional>

#include "operations.hpp"
#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// The tokens of a clip. The class token is kept apart from the patches.
struct TokenNodes {
  std::optional<Node> cls;      // [B,1,C]; nullopt: the net has none
  std::optional<Node> patches;  // [B,T*H*W,C]; nullopt: nothing reads them any more
  Triple grid{};
};

// x normed, of the block's input width -> its attention width, over the pooled grid. Without `patches` only the class
// token's row is computed.
TokenNodes pooling_attention(const TokenNodes& x, const BlockPlan& plan, const MvitOptions& options,
                             const Layers& layers, bool patches);

// Max pooling of a skip path.
TokenNodes pool_skip(const TokenNodes& x, const Pooling& pooling);

// Pools and norms like the query: the skip path of a reversible net's transitions.
Node pool_as_query(const Node& x, const Triple& grid, const BlockPlan& plan, const MvitOptions& options,
                   const Layers& layers);

}  // namespace reeltag::model
