#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kMaxMetrics = 256LL << 20;  // bytes; hundreds of thousands of hashtags

// The recipe's keys that define the net and its clip, without training settings: equal texts are equal nets.
std::string shape_of(const model::Recipe& recipe) {
  model::Recipe shape;
  shape.mvit = recipe.mvit;
  shape.mvit.droppath_rate = shape.mvit.dropout_rate = 0.0;
  shape.model.model_name = recipe.model.model_name;
  shape.model.arch = recipe.model.arch;
  shape.data.num_frames = recipe.data.num_frames;
  shape.data.train_crop_size = recipe.data.train_crop_size;
  shape.data.input_channel_num = recipe.data.input_channel_num;
  return model::to_yaml(shape);
}

// Number of values in which two recipes differ: both texts have one line per key, in the same order.
std::int64_t differences(const model::Recipe& a, const model::Recipe& b) {
  std::istringstream left(model::to_yaml(a)), right(model::to_yaml(b));
  std::int64_t n = 0;
  for (std::string l, r; std::getline(left, l) && std::getline(right, r);) n += l == r ? 0 : 1;
  return n;
}

Net* net_of(std::vector<Net>& nets, const model::Recipe& recipe) {
  const std::string shape = shape_of(recipe);
  Net* nearest = nullptr;
  for (auto& net : nets) {
    if (shape_of(net.recipe) != shape) continue;
    if (nearest == nullptr || differences(net.recipe, recipe) < differences(nearest->recipe, recipe)) nearest = &net;
  }
  return nearest;
}

double number_at(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : kUnknown;
}

OwnResult read_result(const fs::path& run) {
  const fs::path file = run / "metrics.json";
  const auto figures = value_or_throw(parse_json(value_or_throw(read_file(file, kMaxMetrics)), file.string()));
  try {
    return {.run = run.filename().string(),
            .dataset = figures.at("dataset").get<std::string>(),
            .split = figures.at("split").get<std::string>(),
            .top1 = number_at(figures, "top1"),
            .top5 = number_at(figures, "top5"),
            .videos = figures.at("videos").get<std::int64_t>()};
  } catch (const nlohmann::json::exception& e) {
    throw Exception(Code::corrupt, file.string() + ": " + e.what());
  }
}

// The reason why the run does not apply to a shipped net; empty if it does.
std::string add_run(std::vector<Net>& nets, const fs::path& run) {
  const OwnResult result = read_result(run);
  if (result.split == "train") return "evaluated on the videos that it was trained on";
  if (!(result.top1 >= 0.0 && result.top1 <= 1.0)) return "its metrics.json has no top-1 accuracy";
  Net* net = net_of(nets, model::load_recipe((run / "recipe.yaml").string()));
  if (net == nullptr) return "its net is none of the shipped ones";
  net->own.push_back(result);
  return "";
}

}  // namespace

std::vector<OmittedNet> add_own_results(std::vector<Net>& nets, const fs::path& runs) {
  std::vector<fs::path> evaluated;
  std::error_code ignored;  // no such folder: no runs
  for (const auto& entry : fs::directory_iterator(runs, ignored)) {
    if (fs::exists(entry.path() / "metrics.json")) evaluated.push_back(entry.path());
  }
  std::sort(evaluated.begin(), evaluated.end());
  std::vector<OmittedNet> passed_over;
  for (const auto& run : evaluated) {
    std::string reason;
    try {
      reason = add_run(nets, run);
    } catch (const Exception& e) {
      reason = e.what();
    }
    if (!reason.empty()) passed_over.push_back({run.filename().string(), reason});
  }
  return passed_over;
}

}  // namespace reeltag::model_selection
