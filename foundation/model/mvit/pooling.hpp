// Pooling of a token sequence: the operator that makes MViT multiscale.
// Source: MViT (arXiv 2104.11227) section 3.1; slowfast/models/attention.py@287ec007.
#pragma once

#include <string>

#include <torch/torch.h>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Tokens [B,N,h,d] (any token stride, d contiguous) pooled over their grid -> [B,h,N',d], contiguous.
// With class_token row 0 passes through. mode is conv (conv_unshared is the same on one group of all channels), avg or
// max; weight [d,1,kt,kh,kw] is for conv, shared by all groups h. Zero padding of kernel/2, counted in averages.
torch::Tensor pool_tokens(const torch::Tensor& tokens, const std::string& mode, const torch::Tensor& weight,
                          const Pooling& pooling, const Triple& grid, bool class_token);

// The same by ATen's own operators: the yardstick of the fast one, and what other devices and types use.
torch::Tensor pool_tokens_reference(const torch::Tensor& tokens, const std::string& mode, const torch::Tensor& weight,
                                    const Pooling& pooling, const Triple& grid, bool class_token);

// Max pooling of the skip path: x [B,N,C] -> [B,N',C], padding of minus infinity, class token passed through.
torch::Tensor pool_skip(const torch::Tensor& x, const Pooling& pooling, const Triple& grid, bool class_token);

}  // namespace reeltag::model
