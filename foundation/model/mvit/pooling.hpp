// Pools token sequences: the operator that makes MViT multiscale. Private. Functions, any thread; they throw
// c10::Error.
// Source: MViT (arXiv 2104.11227) section 3.1; slowfast/models/attention.py@287ec007.
#pragma once

#include <string>

#include <torch/torch.h>

#include "reeltag/model/plan.hpp"

namespace reeltag::model {

// Pools tokens [B,N,h,d] (any token stride, d contiguous) over their grid -> [B,h,N',d], contiguous. With class_token,
// row 0 passes through. mode is conv (conv_unshared is conv on one group of all channels), avg or max; weight
// [d,1,kt,kh,kw] is for conv, shared by all groups h. Zero padding of kernel/2, counted in averages.
torch::Tensor pool_tokens(const torch::Tensor& tokens, const std::string& mode, const torch::Tensor& weight,
                          const Pooling& pooling, const Triple& grid, bool class_token);

// The same with ATen operators: the reference for the optimised version, and the path for other devices and dtypes.
torch::Tensor pool_tokens_reference(const torch::Tensor& tokens, const std::string& mode, const torch::Tensor& weight,
                                    const Pooling& pooling, const Triple& grid, bool class_token);

// Max pooling of the skip path: x [B,N,C] -> [B,N',C], padded with -inf; the class token passes through.
torch::Tensor pool_skip(const torch::Tensor& x, const Pooling& pooling, const Triple& grid, bool class_token);

}  // namespace reeltag::model
