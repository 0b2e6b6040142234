// Argument checks that this module's sources share. Private. Any thread. Throws Exception(invalid_argument).
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace reeltag::model {

// Returns the matrix as float64 [N,D]; throws unless it is 2-D with at least one row and column and all values finite.
at::Tensor checked_matrix(const at::Tensor& matrix, const std::string& what);

// Throws unless both have the same number of rows.
void check_rows(const at::Tensor& matrix, const at::Tensor& labels, const std::string& what);

}  // namespace reeltag::model
