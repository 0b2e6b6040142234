// train --frozen: a linear head over features that are computed once.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <thread>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "class_selection.hpp"
#include "features.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/image_encoder.hpp"
#include "reeltag/model/linear.hpp"
#include "reeltag/model/mvit.hpp"
#include "reeltag/train.hpp"
#include "scoring.hpp"

namespace reeltag::train {
namespace {

using nlohmann::json;
using torch::Tensor;
namespace fs = std::filesystem;

bool holds(const std::vector<std::string>& blocks, std::string_view block) {
  return std::find(blocks.begin(), blocks.end(), block) != blocks.end();
}
bool uses_net(const std::vector<std::string>& blocks) { return holds(blocks, model::kMvitBlock); }
bool uses_image_encoder(const std::vector<std::string>& blocks) {
  return holds(blocks, model::kImageMean) || holds(blocks, model::kImageDelta);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Data to fit or evaluate a head on.
struct Rows {
  Tensor features;  // [N,D] float32
  model::Labels labels;
  std::vector<std::vector<int>> classes;  // of each row, ascending
  std::vector<std::string> groups;
};

// Calibrated scores [N,K] of videos that the head was not trained on.
struct Unseen {
  Tensor scores = {}, hot = {};
  std::vector<std::vector<int>> classes = {};

  void add(const Tensor& more, const Rows& rows) {
    scores = scores.defined() ? torch::cat({scores, more}) : more;
    hot = hot.defined() ? torch::cat({hot, rows.labels.hot}) : rows.labels.hot;
    classes.insert(classes.end(), rows.classes.begin(), rows.classes.end());
  }
};

struct FittedHead {
  std::vector<std::string> blocks;  // inputs of the head
  model::LinearHead head = {};
  model::Scoring scoring = {};
  double strength = 0.0, net_weight = 0.0;
  Tensor val_losses = {};                          // [N], before calibration
  Tensor val_scores = {};                          // [N,K], calibrated
  std::vector<std::vector<int>> val_classes = {};  // of each row, ascending
  Unseen unseen = {};                              // training videos, if unbiased scores exist; then val
};

// Candidate factors on the standardised features of the MViT's block beside the image encoder's. A net that was trained
// on these videos overfits them, and the head would rely on features that do not generalise; so the block is left out
// unless one of these factors is clearly better on val.
constexpr std::array kNetWeights{0.1, 0.3, 1.0, 3.0};

// True if the mean gain is above 0 with 95 % confidence (one-sided). The standard error is over groups, because videos
// of a group are alike.
bool clearly_less(const Tensor& losses, const Tensor& than, const std::vector<std::string>& groups) {
  const Tensor gain = than - losses, centerd = gain - gain.mean();
  std::map<std::string, double> by_group;
  for (std::size_t i = 0; i < groups.size(); ++i)
    by_group[groups[i]] += centerd[static_cast<std::int64_t>(i)].item<double>();
  double squares = 0.0;
  for (const auto& [group, sum] : by_group) squares += sum * sum;
  constexpr double kNormal95 = 1.645;
  return gain.mean().item<double>() > kNormal95 * std::sqrt(squares) / static_cast<double>(groups.size());
}

std::vector<std::vector<float>> to_vectors(const Tensor& t) {
  const Tensor rows = t.to(torch::kFloat).contiguous();
  const float* data = rows.const_data_ptr<float>();
  const auto width = static_cast<std::size_t>(rows.size(1));
  std::vector<std::vector<float>> out;
  for (std::int64_t i = 0; i < rows.size(0); ++i, data += width) out.emplace_back(data, data + width);
  return out;
}

model::LinearHead classes_of(const model::LinearHead& all, const std::vector<std::int64_t>& classes) {
  const Tensor rows = torch::tensor(classes);
  return {.kind = all.kind, .weight = all.weight.index_select(0, rows), .bias = all.bias.index_select(0, rows)};
}

class FrozenTrainer {
 public:
  FrozenTrainer(const dataset::Dataset& set, store::Store& store, const FrozenOptions& options,
                const Validator& validator)
      : set_(set), store_(store), options_(options), validator_(validator) {
    if (uses_net(options.blocks)) net_ = model::load_bundle(options.net);
  }

  TrainResult run() {
    table_ =
        features_of(set_.items, store_,
                    {.blocks = options_.blocks,
                     .image_frames = options_.config.image_frames,
                     .net = options_.net,
                     .image_encoder = uses_image_encoder(options_.blocks) ? model::find_image_encoder({}) : fs::path(),
                     .limits = options_.limits,
                     .threads = options_.config.decode_threads,
                     .stop = options_.stop});
    const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    torch::set_num_threads(options_.config.threads > 0 ? options_.config.threads : cores);
    const auto begin = std::chrono::steady_clock::now();
    const FittedHead head = fit(options_.blocks);
    std::optional<FittedHead> alone;  // the net's own classifier
    if (net_ && options_.blocks.size() > 1) alone = fit({model::kMvitBlock});
    FrozenReport facts{.blocks = head.blocks,
                       .strength = head.strength,
                       .net_weight = head.net_weight,
                       .kept = table_.kept,
                       .computed = table_.computed,
                       .seconds_computing = table_.seconds_computing,
                       .seconds_saved = table_.seconds_saved,
                       .seconds_fit = seconds_since(begin)};
    const Figures val = validator_ ? validator_(to_vectors(head.val_scores), head.val_classes).figures : Figures{};
    const auto kept = select_classes(set_, options_.config.min_lift, [&] {
      return validator_ ? validator_(to_vectors(head.unseen.scores), head.unseen.classes).lift : std::vector<double>{};
    });
    save(head, alone, kept, val);
    return {.run = options_.run.filename().string(),
            .epochs = 0,
            .train = {},
            .val = val,
            .failed = table_.failed,
            .frozen = facts};
  }

 private:
  // Columns of these blocks in the table.
  [[nodiscard]] Tensor columns(const std::vector<std::string>& blocks) const {
    std::vector<std::int64_t> out;
    std::int64_t first = 0;
    for (const auto& block : table_.blocks) {
      if (holds(blocks, block.name)) {
        for (std::int64_t i = 0; i < block.width; ++i) out.push_back(first + i);
      }
      first += block.width;
    }
    return torch::tensor(out);
  }

  // The weight of each of these columns: net_weight for the MViT's block, else 1.
  [[nodiscard]] Tensor weights(const std::vector<std::string>& blocks, double net_weight) const {
    std::vector<Tensor> parts;
    for (const auto& block : table_.blocks) {
      if (!holds(blocks, block.name)) continue;
      parts.push_back(torch::full({block.width}, block.name == model::kMvitBlock ? net_weight : 1.0, torch::kDouble));
    }
    return torch::cat(parts);
  }

  [[nodiscard]] Rows rows(dataset::Split split, const Tensor& columns) const {
    Rows out;
    std::vector<Tensor> features;
    const auto classes = static_cast<std::int64_t>(set_.vocabulary.size());
    std::vector<Tensor> hot;
    for (std::size_t i = 0; i < set_.items.size(); ++i) {
      const auto& item = set_.items[i];
      if (item.split != split || table_.rows[i].empty()) continue;
      features.push_back(torch::tensor(table_.rows[i]).index_select(0, columns));
      hot.push_back(torch::zeros({classes}, torch::kDouble));
      for (const int label : item.labels) hot.back()[label] = 1.0;
      out.classes.push_back(item.labels);
      out.groups.push_back(item.group);
    }
    if (features.empty()) return out;
    out.features = torch::stack(features);
    const Tensor all = torch::stack(hot);
    out.labels = set_.label_mode == dataset::LabelMode::single ? model::class_labels(all.argmax(1), classes)
                                                               : model::tag_labels(all);
    return out;
  }

  // Chooses strength and net weight on val; fits calibration and thresholds on videos that the head has not seen.
  [[nodiscard]] FittedHead fit(const std::vector<std::string>& blocks) const {
    const Tensor from = columns(blocks);
    const Rows train = rows(dataset::Split::train, from), val = rows(dataset::Split::val, from);
    if (train.classes.empty()) throw Exception(Code::invalid_config, "no video of the training split could be decoded");
    if (val.classes.empty()) {
      throw Exception(Code::invalid_config, "dataset " + set_.id +
                                                " has no validation video to choose the head's strength on; freeze it "
                                                "with a larger --val, or with more groups");
    }
    if (blocks.size() > 1 && uses_net(blocks)) return fit_beside_net(blocks, train, val);
    FittedHead out{.blocks = blocks, .net_weight = uses_net(blocks) ? 1.0 : 0.0};
    const model::ChosenStrength chosen = fit_with(blocks, out.net_weight, train, val);
    calibrate(chosen, train, val, {}, out);
    return out;
  }

  [[nodiscard]] model::ChosenStrength fit_with(const std::vector<std::string>& blocks, double net_weight,
                                               const Rows& train, const Rows& val) const {
    return model::choose_strength(train.features, train.labels, val.features, val.labels, model::strengths(), {},
                                  weights(blocks, net_weight));
  }

  // Leaves the net out if it does not clearly help: the model is then faster and no worse.
  [[nodiscard]] FittedHead fit_beside_net(const std::vector<std::string>& blocks, const Rows& train,
                                          const Rows& val) const {
    std::vector<std::string> others;
    std::copy_if(blocks.begin(), blocks.end(), std::back_inserter(others),
                 [](const std::string& block) { return block != model::kMvitBlock; });
    FittedHead without = fit(others);
    FittedHead out{.blocks = blocks};
    std::optional<model::ChosenStrength> best;
    Tensor fewest;
    for (const double weight : net_weights()) {
      auto chosen = fit_with(blocks, weight, train, val);
      const Tensor losses = model::losses(model::logits(chosen.head, val.features), val.labels);
      if (best && !(losses.mean().item<double>() < fewest.mean().item<double>())) continue;
      best = std::move(chosen);
      fewest = losses;
      out.net_weight = weight;
    }
    const bool better = clearly_less(fewest, without.val_losses, val.groups);
    log::info("net_beside_image_encoder", {{"weight", out.net_weight},
                                           {"val_loss", fewest.mean().item<double>()},
                                           {"val_loss_without", without.val_losses.mean().item<double>()},
                                           {"taken", better || options_.config.net_weight > 0}});
    if (!better && options_.config.net_weight <= 0) return without;
    calibrate(*best, train, val, without.unseen, out);
    return out;
  }

  [[nodiscard]] std::vector<double> net_weights() const {
    if (options_.config.net_weight > 0) return {options_.config.net_weight};
    return {kNetWeights.begin(), kNetWeights.end()};
  }

  // Out-of-fold scores of the training videos are plentiful, but optimistic if the net itself was trained on them. In
  // that case calibration uses val alone, and thresholds also use the scores of the head without the net, if there is
  // one: calibrated scores of the two heads are comparable.
  void calibrate(const model::ChosenStrength& chosen, const Rows& train, const Rows& val, const Unseen& without_net,
                 FittedHead& out) const {
    const auto kind = val.labels.kind;
    const double precision = options_.config.precision;
    const Tensor val_logits = model::logits(chosen.head, val.features);
    out.head = chosen.head;
    out.strength = chosen.c;
    if (uses_net(out.blocks) && knows_training_videos()) {
      out.scoring = fit_scoring(val_logits, val.labels, precision);
      const auto videos = static_cast<std::int64_t>(train.classes.size());
      if (without_net.scores.defined()) out.unseen.add(without_net.scores.narrow(0, 0, videos), train);
    } else {
      const Tensor out_of_fold = model::cross_fit_logits(train.features, train.labels, train.groups, chosen.c,
                                                         /*folds=*/5, weights(out.blocks, out.net_weight));
      const model::Labels all{kind, torch::cat({train.labels.hot, val.labels.hot})};
      out.scoring = fit_scoring(torch::cat({out_of_fold, val_logits}), all, precision);
      out.unseen.add(scores_of(out.scoring, out_of_fold, kind), train);
    }
    out.val_losses = model::losses(val_logits, val.labels);
    out.val_scores = scores_of(out.scoring, val_logits, kind);
    out.val_classes = val.classes;
    out.unseen.add(out.val_scores, val);
    if (without_net.scores.defined())
      out.scoring.thresholds = model::thresholds_for_precision(out.unseen.scores, {kind, out.unseen.hot}, precision);
  }

  // True if the net may have been trained on this dataset.
  [[nodiscard]] bool knows_training_videos() const {
    if (!net_) return false;
    const json trained = json::parse(net_->trained, nullptr, false);
    return !trained.is_object() || !trained.contains("imported");
  }

  void save(const FittedHead& fitted, const std::optional<FittedHead>& alone, const std::vector<std::int64_t>& kept,
            const Figures& val) const {
    const bool multi = set_.label_mode == dataset::LabelMode::multi;
    model::Bundle bundle{.name = options_.run.filename().string(),
                         .recipe = net_ ? net_->recipe : model::Recipe{},
                         .vocabulary = {},
                         .multi_label = multi,
                         .blocks = fitted.blocks,
                         .image_frames = options_.config.image_frames,
                         .scoring = rows_of(fitted.scoring, kept)};
    for (const auto c : kept) bundle.vocabulary.push_back(set_.vocabulary[static_cast<std::size_t>(c)]);
    bundle.recipe.model.num_classes = static_cast<int>(kept.size());
    bundle.recipe.model.head_act = multi ? "sigmoid" : "softmax";
    if (alone) bundle.without_image_encoder = rows_of(alone->scoring, kept);
    bundle.trained = json{
        {"dataset", set_.id},
        {"run", bundle.name},
        {"frozen", true},
        {"strength", fitted.strength},
        {"net_weight", fitted.net_weight},
        {"videos", set_.count(dataset::Split::train)},
        {"val", val}}.dump();
    const auto precision = options_.config.half ? model::Precision::float16 : model::Precision::float32;
    const fs::path folder = options_.run / "bundle";
    const model::LinearHead head = classes_of(fitted.head, kept);
    const model::Head own{to_vectors(head.weight), to_vectors(head.bias.unsqueeze(0)).front()};
    if (!net_) return model::save_bundle(folder, bundle, nullptr, precision, &own);
    const auto net = model::arrays_of(net_with_classifier(bundle.recipe, alone ? classes_of(alone->head, kept) : head));
    model::save_bundle(folder, bundle, &net, precision, bundle.plain() ? nullptr : &own);
  }

  [[nodiscard]] model::Mvit net_with_classifier(const model::Recipe& recipe, const model::LinearHead& head) const {
    torch::NoGradGuard no_grad;
    const model::Mvit from = model::make_net(net_->recipe, model::load_net_weights(options_.net, *net_));
    std::map<std::string, Tensor> weights;
    for (const auto& [name, tensor] : from.parameters()) weights.emplace(name, tensor);
    weights["head.projection.weight"] = head.weight;
    weights["head.projection.bias"] = head.bias;
    model::Mvit out(model::make_plan(recipe), 0);
    for (auto& [name, tensor] : out.parameters()) tensor.copy_(weights.at(name));
    out.set_training(false);
    return out;
  }

  const dataset::Dataset& set_;
  store::Store& store_;
  const FrozenOptions& options_;
  const Validator& validator_;
  std::optional<model::Bundle> net_;
  FeatureTable table_;
};

}  // namespace

TrainResult train_frozen(const dataset::Dataset& set, store::Store& store, const FrozenOptions& options,
                         const Validator& validator) {
  dataset::check_groups(set);
  dataset::check_classes(set);
  if (fs::exists(options.run / "bundle"))
    throw Exception(Code::already_exists, options.run.string() + " holds a run already; choose another name");
  fs::create_directories(options.run);
  return FrozenTrainer(set, store, options, validator).run();
}

}  // namespace reeltag::train
