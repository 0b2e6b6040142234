// Folds by group, and logits from heads that have not seen the group.
#include <algorithm>
#include <map>
#include <tuple>

#include <torch/torch.h>

#include "checks.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/model/linear.hpp"

namespace reeltag::model {

using torch::Tensor;

std::vector<int> folds_of(const std::vector<std::string>& groups, int folds) {
  if (folds < 1) throw Exception(Code::invalid_argument, "linear head: at least one fold is needed");
  std::map<std::string, std::int64_t> rows;
  for (const auto& group : groups) ++rows[group];
  std::vector<std::tuple<std::int64_t, std::uint64_t, std::string>> order;
  for (const auto& [group, count] : rows) order.emplace_back(-count, fnv1a64(group), group);
  std::sort(order.begin(), order.end());
  std::vector<std::int64_t> load(static_cast<std::size_t>(folds), 0);
  std::map<std::string, int> fold;
  for (const auto& [negative, hash, group] : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least -= negative;
    fold[group] = static_cast<int>(least - load.begin());
  }
  std::vector<int> out;
  for (const auto& group : groups) out.push_back(fold[group]);
  return out;
}

Tensor cross_fit_logits(const Tensor& features, const Labels& labels, const std::vector<std::string>& groups, double c,
                        int folds, const Tensor& emphasis) {
  torch::NoGradGuard no_grad;
  const Tensor x = checked_matrix(features, "features");
  check_rows(x, labels.hot, "features");
  if (groups.size() != static_cast<std::size_t>(x.size(0)))
    throw Exception(Code::invalid_argument, "linear head: each row needs a group");
  const Tensor fold = torch::tensor(folds_of(groups, folds), torch::kLong);  // [N]
  if (folds < 2 || (fold == fold[0]).all().item<bool>())
    throw Exception(Code::invalid_argument, "linear head: cross-fitting needs two groups and two folds at least");
  Tensor out = torch::empty_like(labels.hot);
  for (int k = 0; k < folds; ++k) {
    const Tensor held_out = (fold == k).nonzero().flatten(), rest = (fold != k).nonzero().flatten();
    if (held_out.size(0) == 0) continue;
    const Tensor seen = x.index_select(0, rest);
    const LinearHead head = fit_logistic(seen, rows_of(labels, rest), c, fit_standard(seen, emphasis));
    out.index_copy_(0, held_out, logits(head, x.index_select(0, held_out)));
  }
  return out;
}

}  // namespace reeltag::model
