// Checks that the module's sources share. Any thread; failure is Exception(invalid_argument).
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace reeltag::model {

// features as float64 [N,D]; throws unless it is a matrix with at least one row and one column of finite numbers.
at::Tensor checked_matrix(const at::Tensor& matrix, const std::string& what);

// Throws unless both have as many rows.
void check_rows(const at::Tensor& matrix, const at::Tensor& labels, const std::string& what);

}  // namespace reeltag::model
