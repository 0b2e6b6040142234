#include "training_log.hpp"

#include <cmath>
#include <limits>
#include <map>

#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"

namespace reeltag::evaluate {
namespace {

double number(const nlohmann::json& row, const char* key) {
  const auto at = row.find(key);
  return at != row.end() && at->is_number() ? at->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::vector<Epoch> read_training_log(const std::filesystem::path& path) {
  std::map<double, Epoch> epochs;
  const auto read = each_json_line(path, [&](std::int64_t, Result<nlohmann::json>&& row) {
    if (!row || !row->is_object()) return;
    const double epoch = number(*row, "epoch");
    if (std::isnan(epoch)) return;
    epochs[epoch] = {epoch,
                     number(*row, "train_loss"),
                     number(*row, "train_top1"),
                     number(*row, "val_loss"),
                     number(*row, "val_top1"),
                     number(*row, "lr"),
                     number(*row, "seconds_wait")};
  });
  std::vector<Epoch> result;
  if (!read) return result;
  for (const auto& [at, epoch] : epochs) result.push_back(epoch);
  return result;
}

}  // namespace reeltag::evaluate
