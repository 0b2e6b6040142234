#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <numeric>
#include <set>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "checkpoint.hpp"
#include "loader.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/train.hpp"
#include "scoring.hpp"
#include "shipping.hpp"

namespace reeltag::train {
namespace {

using nlohmann::json;
using torch::Tensor;
namespace fs = std::filesystem;

double process_cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

torch::Device pick_device(const std::string& wanted) {
  if (wanted == "cpu" || (wanted == "auto" && !torch::cuda::is_available())) return torch::kCPU;
  if (!torch::cuda::is_available())
    throw Exception(Code::unavailable, "train.device is cuda and libtorch finds no GPU");
  return torch::kCUDA;
}

// The recipe as this dataset needs it: number of classes, loss and output by kind of label.
model::Recipe resolve(model::Recipe recipe, const dataset::Dataset& set) {
  recipe.model.num_classes = static_cast<int>(set.vocabulary.size());
  if (set.label_mode == dataset::LabelMode::multi) {
    if (recipe.model.loss_func.find("cross_entropy") != std::string::npos) recipe.model.loss_func = "bce_logit_sum";
    recipe.model.head_act = "sigmoid";
    recipe.data.multi_label = true;
  } else if (recipe.model.loss_func.starts_with("bce")) {
    recipe.model.loss_func = "soft_cross_entropy";
  }
  if (recipe.train.batch_size < 1) throw Exception(Code::invalid_config, "TRAIN.BATCH_SIZE must be at least 1");
  if (recipe.solver.max_epoch < 1) throw Exception(Code::invalid_config, "SOLVER.MAX_EPOCH must be at least 1");
  if (recipe.mixup.enable) throw Exception(Code::unsupported, "MIXUP.ENABLE is not built yet; set it to False");
  if (!recipe.aug.aa_type.empty() && recipe.aug.enable)
    throw Exception(Code::unsupported, "AUG.AA_TYPE is not built yet; set AUG.ENABLE to False");
  return recipe;
}

class Trainer {
 public:
  Trainer(const dataset::Dataset& set, store::Store& store, const Options& options, const Validator& validator)
      : set_(set),
        options_(options),
        validator_(validator),
        recipe_(resolve(options.recipe, set)),
        spec_(model::clip_spec(recipe_)),
        device_(pick_device(options.config.device)),
        net_(model::make_plan(recipe_), static_cast<std::uint64_t>(recipe_.rng_seed)),
        source_(set.items, store, spec_, options.limits, options.config.cache_gb) {
    for (std::size_t i = 0; i < set.items.size(); ++i) {
      if (set.items[i].split == dataset::Split::train) train_.push_back(i);
      if (set.items[i].split == dataset::Split::val) val_.push_back(i);
    }
    if (train_.empty()) throw Exception(Code::invalid_config, "dataset " + set.id + " has no training video");
  }

  TrainResult run() {
    prepare();
    model::AdamW optimizer(net_.parameters(), recipe_);
    Position position;
    if (options_.resume) {
      if (const auto found = load_checkpoint(options_.run, net_, optimizer)) position = *found;
    }
    const int epochs = recipe_.solver.max_epoch;
    trim_log(position.epoch);
    for (; position.epoch < epochs;
         position = {.epoch = position.epoch + 1, .batch = 0, .loss_sum = 0, .clips = 0, .hits = 0}) {
      one_epoch(optimizer, position);
      validate(position);
      Position next{.epoch = position.epoch + 1, .batch = 0, .loss_sum = 0, .clips = 0, .hits = 0};
      save_checkpoint(options_.run, net_, optimizer, next);
      write_log(position);
    }
    if (validated_.scores.empty()) validate(position);
    finish();
    return {.run = options_.run.filename().string(),
            .epochs = epochs,
            .train = train_figures_,
            .val = val_figures_,
            .failed = source_.failures()};
  }

 private:
  void prepare() {
    torch::set_num_threads(options_.config.threads > 0
                               ? options_.config.threads
                               : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
    if (!options_.start_from.empty())
      start_from(options_.start_from);
    else
      set_head_prior();
    net_.to(device_.str());
  }

  // Fine-tuning: every weight of equal name and shape is taken over; a classifier of another vocabulary starts fresh.
  void start_from(const fs::path& folder) {
    torch::NoGradGuard no_grad;
    const model::Bundle bundle = model::load_bundle(folder);
    const model::Mvit from = model::load_net(folder, bundle);
    std::map<std::string, Tensor> weights;
    for (const auto& [name, tensor] : from.parameters()) weights.emplace(name, tensor);
    const bool same_vocabulary = bundle.vocabulary == set_.vocabulary;
    std::int64_t taken = 0, fresh = 0;
    for (auto& [name, tensor] : net_.parameters()) {
      const auto it = weights.find(name);
      const bool take = it != weights.end() && it->second.sizes() == tensor.sizes() &&
                        (same_vocabulary || !name.starts_with("head."));
      if (take) tensor.copy_(it->second);
      ++(take ? taken : fresh);
    }
    log::info("fine_tuning", {{"from", folder}, {"weights_taken", taken}, {"weights_fresh", fresh}});
    if (taken == 0)
      throw Exception(Code::invalid_config,
                      folder.string() + " is a model of another shape: no weight fits the recipe");
  }

  void set_head_prior() {
    if (recipe_.own.head_prior <= 0.0 || set_.label_mode != dataset::LabelMode::multi) return;
    torch::NoGradGuard no_grad;
    for (auto& [name, tensor] : net_.parameters()) {
      if (name == "head.projection.bias") tensor.fill_(std::log(recipe_.own.head_prior));
    }
  }

  [[nodiscard]] Tensor targets(const std::vector<std::size_t>& items) const {
    const auto classes = static_cast<std::int64_t>(set_.vocabulary.size());
    if (set_.label_mode == dataset::LabelMode::single) {
      std::vector<std::int64_t> labels;
      for (const auto i : items) labels.push_back(set_.items[i].labels.at(0));
      return model::smoothed_targets(torch::tensor(labels), classes, recipe_.own.label_smoothing);
    }
    Tensor target = torch::zeros({static_cast<std::int64_t>(items.size()), classes});
    auto at = target.accessor<float, 2>();
    for (std::size_t b = 0; b < items.size(); ++b) {
      for (const int label : set_.items[items[b]].labels) at[static_cast<std::int64_t>(b)][label] = 1.0F;
    }
    return target;
  }

  [[nodiscard]] Tensor clips(Batch& batch) const {
    const auto n = static_cast<std::int64_t>(batch.items.size());
    Tensor out = torch::from_blob(batch.clips.data(), {n, 3, spec_.frames, spec_.height, spec_.width}).to(device_);
    return recipe_.is_image() ? out.squeeze(2) : out;
  }

  // Videos of the batch whose best-scoring class is among their own.
  [[nodiscard]] std::int64_t hits(const Tensor& logits, const std::vector<std::size_t>& items) const {
    const Tensor best = logits.argmax(1).cpu();
    std::int64_t n = 0;
    for (std::size_t b = 0; b < items.size(); ++b) {
      const auto& labels = set_.items[items[b]].labels;
      n += std::binary_search(labels.begin(), labels.end(),
                              static_cast<int>(best[static_cast<std::int64_t>(b)].item<std::int64_t>()))
               ? 1
               : 0;
    }
    return n;
  }

  std::vector<std::size_t> shuffled(int epoch) const {
    std::vector<std::size_t> order = train_;
    model::Random random(
        mix_seed({static_cast<std::uint64_t>(recipe_.rng_seed), static_cast<std::uint64_t>(epoch), 1}));
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    return order;
  }

  void one_epoch(model::AdamW& optimizer, Position& p) {
    const auto seed = static_cast<std::uint64_t>(recipe_.rng_seed);
    Loader loader(source_, spec_, shuffled(p.epoch), recipe_.train.batch_size, true,
                  mix_seed({seed, static_cast<std::uint64_t>(p.epoch), 2}), options_.config.decode_threads, p.batch);
    Progress progress("epoch " + std::to_string(p.epoch + 1) + "/" + std::to_string(recipe_.solver.max_epoch),
                      static_cast<std::int64_t>(loader.batches()),
                      {.mode = Progress::Mode::automatic,
                       .start = static_cast<std::int64_t>(p.batch),
                       .interval = std::chrono::milliseconds{5000}});
    const auto parameters = net_.parameters();
    const double cpu_before = process_cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    const std::int64_t clips_before = p.clips;
    net_.set_training(true);
    for (; p.batch < loader.batches(); ++p.batch) {
      if (options_.stop.stop_requested()) stop_here(optimizer, p);
      Batch batch = loader.next();
      if (batch.items.empty()) continue;
      const double rate =
          model::learning_rate(recipe_, p.epoch + static_cast<double>(p.batch) / static_cast<double>(loader.batches()));
      torch::manual_seed(mix_seed({seed, static_cast<std::uint64_t>(p.epoch), p.batch, 3}));
      const Tensor logits = net_.forward(clips(batch));
      const Tensor loss = model::loss(recipe_.model.loss_func, logits, targets(batch.items).to(device_));
      optimizer.zero_grad();
      loss.backward();
      model::clip_gradients(parameters, recipe_.solver.clip_grad_l2norm.value_or(0.0));
      optimizer.step(rate);
      const double value = loss.item<double>();
      if (!std::isfinite(value))
        throw Exception(Code::internal, "the loss is no longer a number in epoch " + std::to_string(p.epoch + 1) +
                                            "; lower SOLVER.BASE_LR and resume from an earlier run");
      const auto n = static_cast<std::int64_t>(batch.items.size());
      p.loss_sum += value * static_cast<double>(n);
      p.clips += n;
      p.hits += hits(logits, batch.items);
      progress.update(
          static_cast<std::int64_t>(p.batch) + 1,
          {{"loss", p.loss_sum / static_cast<double>(p.clips)}, {"top1", share(p.hits, p.clips)}, {"lr", rate}});
    }
    if (p.clips == 0) throw Exception(Code::invalid_config, "no video of the training split could be decoded");
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    waited_ = loader.waited();
    const double cpu = process_cpu_seconds() - cpu_before - loader.cpu_seconds();
    cpu_ms_per_clip_ = 1000.0 * cpu / static_cast<double>(std::max<std::int64_t>(1, p.clips - clips_before));
    train_figures_ = {{"loss", p.loss_sum / static_cast<double>(p.clips)}, {"top1", share(p.hits, p.clips)}};
  }

  static double share(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
  }

  [[noreturn]] void stop_here(const model::AdamW& optimizer, const Position& p) {
    save_checkpoint(options_.run, net_, optimizer, p);
    throw Exception(Code::interrupted, "training stopped in epoch " + std::to_string(p.epoch + 1) +
                                           "; go on with: reeltag train --resume " + options_.run.filename().string());
  }

  struct Scored {
    std::vector<std::vector<float>> scores;
    std::vector<std::vector<int>> labels;
    double loss = 0.0;  // mean over the videos
  };

  // The test clip of each item through the net as it is.
  Scored score(const std::vector<std::size_t>& items) {
    torch::NoGradGuard no_grad;
    net_.set_training(false);
    Loader loader(source_, spec_, items, recipe_.train.batch_size, false, 0, options_.config.decode_threads);
    Scored out;
    for (std::size_t b = 0; b < loader.batches(); ++b) {
      Batch batch = loader.next();
      if (batch.items.empty()) continue;
      const Tensor logits = net_.forward(clips(batch));
      const Tensor loss = model::loss(recipe_.model.loss_func, logits, targets(batch.items).to(device_));
      out.loss += loss.item<double>() * static_cast<double>(batch.items.size());
      const Tensor scores = net_.activate(logits).cpu().contiguous();
      const float* data = scores.const_data_ptr<float>();
      const auto classes = static_cast<std::size_t>(scores.size(1));
      for (std::size_t i = 0; i < batch.items.size(); ++i) {
        out.scores.emplace_back(data + i * classes, data + (i + 1) * classes);
        out.labels.push_back(set_.items[batch.items[i]].labels);
      }
    }
    out.loss /= std::max<double>(1.0, static_cast<double>(out.scores.size()));
    return out;
  }

  void validate(const Position& p) {
    const bool due =
        (p.epoch + 1) % std::max(1, recipe_.train.eval_period) == 0 || p.epoch + 1 >= recipe_.solver.max_epoch;
    if (val_.empty() || !due) return;
    validated_ = score(val_);
    if (validated_.scores.empty()) return;
    if (validator_) val_figures_ = validator_(validated_.scores, validated_.labels).figures;
    val_figures_["loss"] = validated_.loss;
  }

  // Lines of epochs that will be done again after a resume are dropped.
  void trim_log(int epochs) const {
    const auto text = read_file(options_.run / "log.jsonl", 1 << 28);
    if (!text) return;
    std::string kept;
    std::istringstream lines(*text);
    int n = 0;
    for (std::string line; n < epochs && std::getline(lines, line); ++n) kept += line + "\n";
    write_file(options_.run / "log.jsonl", kept);
  }

  void write_log(const Position& p) const {
    json line{{"epoch", p.epoch + 1},
              {"lr", model::learning_rate(recipe_, p.epoch + 1.0)},
              {"seconds", seconds_},
              {"seconds_wait", waited_},
              {"cpu_ms_per_clip", cpu_ms_per_clip_},
              {"clips", p.clips}};
    for (const auto& [name, value] : train_figures_) line["train_" + name] = value;
    for (const auto& [name, value] : val_figures_) line["val_" + name] = value;
    std::ofstream out(options_.run / "log.jsonl", std::ios::app);
    out << line.dump() << "\n" << std::flush;
    log::Fields fields{
        {"epoch", p.epoch + 1}, {"seconds", seconds_}, {"waited", waited_}, {"cpu_ms_per_clip", cpu_ms_per_clip_}};
    for (const auto& [name, value] : train_figures_) fields.push_back({"train_" + name, value});
    for (const auto& [name, value] : val_figures_) fields.push_back({"val_" + name, value});
    log::info("epoch", fields);
  }

  // The trained net with the classifier's rows of these classes only.
  [[nodiscard]] model::Mvit net_of(const std::vector<std::int64_t>& classes, const model::Recipe& recipe) const {
    torch::NoGradGuard no_grad;
    model::Mvit out(model::make_plan(recipe), 0);
    const auto from = net_.parameters();
    auto to = out.parameters();
    const Tensor rows = torch::tensor(classes);
    for (std::size_t i = 0; i < to.size(); ++i) {
      const Tensor source = from[i].second.cpu();
      to[i].second.copy_(to[i].first.starts_with("head.projection") ? source.index_select(0, rows) : source);
    }
    out.set_training(false);
    return out;
  }

  void finish() {
    const std::size_t classes = set_.vocabulary.size();
    const bool multi = set_.label_mode == dataset::LabelMode::multi;
    // On val and test together: the splits of a small set are too small alone.
    const auto kept = shipped_classes(set_, options_.config.min_lift, [&] {
      std::vector<std::size_t> unseen;
      for (std::size_t i = 0; i < set_.items.size(); ++i) {
        if (set_.items[i].split != dataset::Split::train) unseen.push_back(i);
      }
      const Scored scored = score(unseen);
      return validator_ ? validator_(scored.scores, scored.labels).lift : std::vector<double>{};
    });
    const model::Scoring scoring =
        fit_scoring(validated_.scores, validated_.labels, classes, multi, options_.config.precision);
    model::Recipe recipe = recipe_;
    recipe.model.num_classes = static_cast<int>(kept.size());
    json trained{{"dataset", set_.id},
                 {"run", options_.run.filename().string()},
                 {"epochs", recipe_.solver.max_epoch},
                 {"videos", train_.size()},
                 {"train", train_figures_},
                 {"val", val_figures_}};
    model::Bundle bundle{.name = options_.run.filename().string(),
                         .recipe = recipe,
                         .vocabulary = {},
                         .multi_label = multi,
                         .trained = trained.dump()};
    for (const auto c : kept) bundle.vocabulary.push_back(set_.vocabulary[static_cast<std::size_t>(c)]);
    bundle.scoring = rows_of(scoring, kept);
    const fs::path folder = options_.run / "bundle";
    fs::remove_all(folder);
    const model::Mvit net = net_of(kept, recipe);
    model::save_bundle(folder, bundle, &net,
                       options_.config.half ? model::Precision::float16 : model::Precision::float32);
  }

  const dataset::Dataset& set_;
  const Options& options_;
  const Validator& validator_;
  model::Recipe recipe_;
  model::ClipSpec spec_;
  torch::Device device_;
  model::Mvit net_;
  FrameSource source_;
  std::vector<std::size_t> train_, val_;  // items
  Scored validated_;                      // the last validation
  Figures train_figures_, val_figures_;
  double seconds_ = 0, waited_ = 0, cpu_ms_per_clip_ = 0;
};

}  // namespace

TrainResult train(const dataset::Dataset& set, store::Store& store, const Options& options,
                  const Validator& validator) {
  dataset::check_groups(set);
  if (!options.resume && fs::exists(options.run / "options.json")) {
    throw Exception(Code::already_exists,
                    options.run.string() + " holds a run already; resume it or choose another name");
  }
  Trainer trainer(set, store, options, validator);
  if (!options.resume) {
    fs::create_directories(options.run);
    write_file(options.run / "recipe.yaml", model::to_yaml(options.recipe));
    const auto& c = options.config;
    write_file(options.run / "options.json", json{{"dataset", set.id},
                                                  {"start_from", options.start_from.string()},
                                                  {"train",
                                                   {{"threads", c.threads},
                                                    {"decode_threads", c.decode_threads},
                                                    {"cache_gb", c.cache_gb},
                                                    {"precision", c.precision},
                                                    {"min_lift", c.min_lift},
                                                    {"half", c.half},
                                                    {"device", c.device}}}}
                                                     .dump(1) +
                                                 "\n");
  }
  return trainer.run();
}

Started load_started(const fs::path& run) {
  const auto text = read_file(run / "options.json", 1 << 20);
  if (!text) throw Exception(Code::not_found, "no run to resume in " + run.string());
  const json j = json::parse(*text, nullptr, false);
  Started s;
  try {
    s.dataset = j.at("dataset").get<std::string>();
    s.start_from = j.at("start_from").get<std::string>();
    const auto& t = j.at("train");
    s.config = {.threads = t.at("threads"),
                .decode_threads = t.at("decode_threads"),
                .cache_gb = t.at("cache_gb"),
                .precision = t.at("precision"),
                .min_lift = t.value("min_lift", 0.0),
                .half = t.value("half", false),
                .device = t.at("device").get<std::string>()};
  } catch (const json::exception& e) {
    throw Exception(Code::corrupt, (run / "options.json").string() + ": " + e.what());
  }
  s.recipe = model::load_recipe((run / "recipe.yaml").string());
  return s;
}

std::string to_json(const TrainResult& r) {
  json failed = json::array();
  for (const auto& f : r.failed) {
    failed.push_back(
        {{"video", f.video}, {"error", {{"code", code_name(f.reason.code)}, {"message", f.reason.message}}}});
  }
  json out{{"run", r.run}, {"epochs", r.epochs}, {"train", r.train}, {"val", r.val}, {"failed", failed}};
  if (r.frozen) {
    out["frozen"] = {{"blocks", r.frozen->blocks},
                     {"strength", r.frozen->strength},
                     {"net_weight", r.frozen->net_weight},
                     {"features_kept", r.frozen->kept},
                     {"features_computed", r.frozen->computed},
                     {"seconds_computing", r.frozen->seconds_computing},
                     {"seconds_saved", r.frozen->seconds_saved},
                     {"seconds_fit", r.frozen->seconds_fit}};
  }
  return out.dump();
}

}  // namespace reeltag::train
