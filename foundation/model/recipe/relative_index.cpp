#include "reeltag/model/relative_index.hpp"

#include <algorithm>

namespace reeltag::model {

std::vector<std::int64_t> relative_index(int q, int k) {
  const auto q_ratio = static_cast<float>(std::max(static_cast<double>(k) / q, 1.0));
  const auto k_ratio = static_cast<float>(std::max(static_cast<double>(q) / k, 1.0));
  const auto offset = static_cast<float>((k - 1) * std::max(static_cast<double>(q) / k, 1.0));
  std::vector<std::int64_t> index;
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j < k; ++j) {
      // volatile keeps each rounding: no fused multiply-add may merge the steps.
      volatile const float a = static_cast<float>(i) * q_ratio;
      volatile const float b = static_cast<float>(j) * k_ratio;
      volatile const float difference = a - b;
      volatile const float sum = difference + offset;
      index.push_back(static_cast<std::int64_t>(sum));
    }
  }
  return index;
}

}  // namespace reeltag::model
