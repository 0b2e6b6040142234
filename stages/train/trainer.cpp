#include <algorithm>
#include <cmath>
#include <ctime>
#include <numeric>
#include <set>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "checkpoint.hpp"
#include "class_selection.hpp"
#include "loader.hpp"
#include "process_group.hpp"
#include "rank_sync.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/train.hpp"
#include "run_folder.hpp"
#include "scoring.hpp"

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

// A single rank uses libtorch's default GPU; several ranks use one GPU each.
torch::Device pick_device(const std::string& wanted, const World& world) {
  if (wanted == "cpu" || (wanted == "auto" && !torch::cuda::is_available())) return torch::kCPU;
  if (!torch::cuda::is_available())
    throw Exception(Code::unavailable, "train.device is cuda and libtorch finds no GPU");
  if (world.size == 1) return torch::kCUDA;
  return {torch::kCUDA, static_cast<c10::DeviceIndex>(world.local_rank % torch::cuda::device_count())};
}

// A rate below zero would train away from the optimum.
void check_rates(const model::SolverOptions& solver) {
  for (const auto& [key, value] : {std::pair{"SOLVER.BASE_LR", solver.base_lr},
                                   {"SOLVER.COSINE_END_LR", solver.cosine_end_lr},
                                   {"SOLVER.WARMUP_START_LR", solver.warmup_start_lr},
                                   {"SOLVER.WARMUP_EPOCHS", solver.warmup_epochs},
                                   {"SOLVER.WEIGHT_DECAY", solver.weight_decay},
                                   {"SOLVER.MOMENTUM", solver.momentum},
                                   {"SOLVER.LAYER_DECAY", solver.layer_decay}}) {
    if (!(value >= 0)) throw Exception(Code::invalid_config, std::string(key) + " must not be below 0");
  }
  if (solver.base_lr == 0) throw Exception(Code::invalid_config, "SOLVER.BASE_LR must be above 0");
}

// Adapts the recipe to the dataset: number of classes, and loss and output by kind of label.
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
  check_rates(recipe.solver);
  if (recipe.mixup.enable) throw Exception(Code::unsupported, "MIXUP.ENABLE is not built yet; set it to False");
  if (!recipe.aug.aa_type.empty() && recipe.aug.enable)
    throw Exception(Code::unsupported, "AUG.AA_TYPE is not built yet; set AUG.ENABLE to False");
  return recipe;
}

std::string resume_hint(const Options& options) {
  return "; go on with: reeltag train --resume " + options.run.filename().string();
}

class Trainer {
 public:
  Trainer(const dataset::Dataset& set, store::Store& store, const Options& options, model::Recipe recipe,
          const Validator& validator, ProcessGroup& group)
      : set_(set),
        options_(options),
        validator_(validator),
        ranks_(group),
        recipe_(std::move(recipe)),
        spec_(model::clip_spec(recipe_)),
        device_(pick_device(options.config.device, options.world)),
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
    if (options_.resume && ranks_.first()) {
      if (const auto found = load_checkpoint(options_.run, net_, optimizer)) position = *found;
    }
    share_state(ranks_, net_, optimizer, position);
    if (options_.resume) go_on_with_settings(position);
    GradientSum gradients(ranks_, net_.parameters());
    const int epochs = recipe_.solver.max_epoch;
    if (ranks_.first()) trim_log(options_.run, position.epoch);
    for (; position.epoch < epochs;
         position = {.epoch = position.epoch + 1, .batch = 0, .loss_sum = 0, .clips = 0, .hits = 0}) {
      one_epoch(optimizer, gradients, position);
      validate(position);
      if (!ranks_.first()) continue;
      Position next{.epoch = position.epoch + 1, .batch = 0, .loss_sum = 0, .clips = 0, .hits = 0};
      save_checkpoint(options_.run, net_, optimizer, next);
      write_epoch(options_.run, {.epoch = position.epoch + 1,
                                 .learning_rate = model::learning_rate(recipe_, position.epoch + 1.0),
                                 .seconds = seconds_,
                                 .seconds_wait = waited_,
                                 .cpu_ms_per_clip = cpu_ms_per_clip_,
                                 .clips = position.clips,
                                 .train = train_figures_,
                                 .val = val_figures_});
    }
    if (validated_.scores.empty()) validate(position);
    finish();
    return {.run = options_.run.filename().string(),
            .epochs = epochs,
            .train = train_figures_,
            .val = val_figures_,
            .failed = gather_all(ranks_, source_.failures())};
  }

 private:
  // What the resumption changed holds for later ones too.
  void go_on_with_settings(const Position& position) {
    if (position.epoch > recipe_.solver.max_epoch) {
      throw Exception(Code::invalid_config, "SOLVER.MAX_EPOCH is " + std::to_string(recipe_.solver.max_epoch) +
                                                ", and the run has trained " + std::to_string(position.epoch) +
                                                " epochs already");
    }
    write_started(set_, options_);  // by every rank: each may have a folder of its own, and all write the same
  }

  void prepare() {
    torch::set_num_threads(options_.config.threads > 0
                               ? options_.config.threads
                               : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
    if (options_.start_from.empty())
      set_head_prior();
    else if (ranks_.first())  // the others get its weights
      start_from(options_.start_from);
    net_.to(device_.str());
  }

  // Fine-tuning: copies every weight of equal name and shape; a classifier of another vocabulary starts fresh.
  void start_from(const fs::path& folder) {
    torch::NoGradGuard no_grad;
    const model::Bundle bundle = model::load_bundle(folder);
    const model::Mvit from = model::make_net(bundle.recipe, model::load_net_weights(folder, bundle));
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

  // Counts the videos of the batch whose top-1 class is among their labels.
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

  void one_epoch(model::AdamW& optimizer, GradientSum& gradients, Position& p) {
    const auto seed = static_cast<std::uint64_t>(recipe_.rng_seed);
    Loader loader(source_, spec_, shuffled(p.epoch), recipe_.train.batch_size, true,
                  mix_seed({seed, static_cast<std::uint64_t>(p.epoch), 2}), options_.config.decode_threads, p.batch,
                  ranks_.share());
    Progress progress("epoch " + std::to_string(p.epoch + 1) + "/" + std::to_string(recipe_.solver.max_epoch),
                      static_cast<std::int64_t>(loader.batches()),
                      {.mode = ranks_.first() ? Progress::Mode::automatic : Progress::Mode::quiet,
                       .start = static_cast<std::int64_t>(p.batch),
                       .interval = std::chrono::milliseconds{5000}});
    const double cpu_before = process_cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    std::int64_t own_clips = 0;
    net_.set_training(true);
    for (; p.batch < loader.batches(); ++p.batch) {
      const double rate =
          model::learning_rate(recipe_, p.epoch + static_cast<double>(p.batch) / static_cast<double>(loader.batches()));
      own_clips += one_batch(loader, optimizer, gradients, rate, p);
      if (p.clips == 0) continue;
      progress.update(
          static_cast<std::int64_t>(p.batch) + 1,
          {{"loss", p.loss_sum / static_cast<double>(p.clips)}, {"top1", share(p.hits, p.clips)}, {"lr", rate}});
    }
    if (p.clips == 0) throw Exception(Code::invalid_config, "no video of the training split could be decoded");
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    waited_ = loader.waited();
    const double cpu = process_cpu_seconds() - cpu_before - loader.cpu_seconds();
    cpu_ms_per_clip_ = 1000.0 * cpu / static_cast<double>(std::max<std::int64_t>(1, own_clips));
    train_figures_ = {{"loss", p.loss_sum / static_cast<double>(p.clips)}, {"top1", share(p.hits, p.clips)}};
  }

  // Runs one step on all ranks, or stops all of them before it. Returns this rank's number of clips. Weights and p
  // change only once all ranks have contributed, so a lost rank costs no progress.
  std::int64_t one_batch(Loader& loader, model::AdamW& optimizer, GradientSum& gradients, double rate, Position& p) {
    try {
      const bool stop = options_.stop.stop_requested();
      Batch batch = stop ? Batch{} : loader.next();
      const StepPlan step_plan = plan_step(ranks_, batch.items.size(), stop);
      if (step_plan.stop) stop_here(optimizer, p);
      if (step_plan.clips == 0) return 0;
      const StepFigures own = pass(batch, step_plan, optimizer, p);
      const auto all = gradients.reduce(own);
      model::clip_gradients(net_.parameters(), recipe_.solver.clip_grad_l2norm.value_or(0.0));
      optimizer.step(rate);
      for (const StepFigures& f : all) {
        if (!std::isfinite(f.loss))
          throw Exception(Code::internal, "the loss is no longer a number in epoch " + std::to_string(p.epoch + 1) +
                                              "; lower SOLVER.BASE_LR and resume from an earlier run");
        p.loss_sum += f.loss * static_cast<double>(f.clips);
        p.clips += f.clips;
        p.hits += f.hits;
      }
      return own.clips;
    } catch (const RankLost&) {
      if (ranks_.first()) save_checkpoint(options_.run, net_, optimizer, p);
      throw;
    }
  }

  // Forward and backward pass of this rank's clips of the batch, which may be none.
  StepFigures pass(Batch& batch, const StepPlan& step_plan, model::AdamW& optimizer, const Position& p) {
    torch::manual_seed(
        mix_seed({static_cast<std::uint64_t>(recipe_.rng_seed), static_cast<std::uint64_t>(p.epoch), p.batch, 3}));
    optimizer.zero_grad();
    if (batch.items.empty()) return {};
    const auto own = static_cast<std::int64_t>(batch.items.size());
    const model::BatchPart part{.first = step_plan.first, .of = own < step_plan.clips ? step_plan.clips : 0};
    const Tensor logits = net_.forward(clips(batch), part);
    const Tensor loss = model::loss(recipe_.model.loss_func, logits, targets(batch.items).to(device_));
    loss.backward();
    return {.loss = loss.item<double>(), .clips = own, .hits = hits(logits, batch.items)};
  }

  static double share(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
  }

  [[noreturn]] void stop_here(const model::AdamW& optimizer, const Position& p) {
    if (ranks_.first()) save_checkpoint(options_.run, net_, optimizer, p);
    try {
      ranks_.barrier();  // launchers end all processes when the first ends; the checkpoint must exist by then
    } catch (const RankLost&) {
      // This rank stops anyway, and rank 0's checkpoint or its previous one exists.
    }
    throw Exception(Code::interrupted,
                    "training stopped in epoch " + std::to_string(p.epoch + 1) + resume_hint(options_));
  }

  // Scores the test clip of each item with the current net, divided over the ranks; every rank gets all scores.
  ItemScores score(const std::vector<std::size_t>& items) {
    torch::NoGradGuard no_grad;
    net_.set_training(false);
    const Share share = ranks_.share();
    const std::vector<std::size_t> own(items.begin() + static_cast<std::ptrdiff_t>(share.begin(items.size())),
                                       items.begin() + static_cast<std::ptrdiff_t>(share.end(items.size())));
    Loader loader(source_, spec_, own, recipe_.train.batch_size, false, 0, options_.config.decode_threads);
    ItemScores out;
    for (std::size_t b = 0; b < loader.batches(); ++b) {
      Batch batch = loader.next();
      if (batch.items.empty()) continue;
      const Tensor logits = net_.forward(clips(batch));
      const Tensor loss = model::loss(recipe_.model.loss_func, logits, targets(batch.items).to(device_));
      out.loss_sum += loss.item<double>() * static_cast<double>(batch.items.size());
      const Tensor scores = net_.activate(logits).cpu().contiguous();
      const float* data = scores.const_data_ptr<float>();
      const auto classes = static_cast<std::size_t>(scores.size(1));
      for (std::size_t i = 0; i < batch.items.size(); ++i) {
        out.scores.emplace_back(data + i * classes, data + (i + 1) * classes);
        out.items.push_back(batch.items[i]);
      }
    }
    return gather_all(ranks_, out);
  }

  [[nodiscard]] std::vector<std::vector<int>> labels_of(const std::vector<std::size_t>& items) const {
    std::vector<std::vector<int>> out;
    for (const auto i : items) out.push_back(set_.items[i].labels);
    return out;
  }

  void validate(const Position& p) {
    const bool due =
        (p.epoch + 1) % std::max(1, recipe_.train.eval_period) == 0 || p.epoch + 1 >= recipe_.solver.max_epoch;
    if (val_.empty() || !due) return;
    validated_ = score(val_);
    if (validated_.scores.empty()) return;
    if (validator_) val_figures_ = validator_(validated_.scores, labels_of(validated_.items)).figures;
    val_figures_["loss"] = validated_.loss_sum / static_cast<double>(validated_.scores.size());
  }

  // The trained net with only these classes in its classifier.
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
    const bool multi = set_.label_mode == dataset::LabelMode::multi;
    // Measured on val and test together: each split of a small dataset is too small alone.
    const auto kept = select_classes(set_, options_.config.min_lift, [&] {
      std::vector<std::size_t> unseen;
      for (std::size_t i = 0; i < set_.items.size(); ++i) {
        if (set_.items[i].split != dataset::Split::train) unseen.push_back(i);
      }
      const ItemScores scored = score(unseen);
      return validator_ ? validator_(scored.scores, labels_of(scored.items)).lift : std::vector<double>{};
    });
    if (ranks_.first()) write_bundle(kept, multi);
    ranks_.barrier();  // no rank reports success before the bundle exists
  }

  void write_bundle(const std::vector<std::int64_t>& kept, bool multi) {
    const model::Scoring scoring = fit_scoring(validated_.scores, labels_of(validated_.items), set_.vocabulary.size(),
                                               multi, options_.config.precision);
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
    const auto net = model::arrays_of(net_of(kept, recipe));
    model::save_bundle(folder, bundle, &net,
                       options_.config.half ? model::Precision::float16 : model::Precision::float32);
  }

  const dataset::Dataset& set_;
  const Options& options_;
  const Validator& validator_;
  ProcessGroup& ranks_;
  model::Recipe recipe_;
  model::ClipSpec spec_;
  torch::Device device_;
  model::Mvit net_;
  FrameSource source_;
  std::vector<std::size_t> train_, val_;  // items
  ItemScores validated_;                  // of the last validation
  Figures train_figures_, val_figures_;
  double seconds_ = 0, waited_ = 0, cpu_ms_per_clip_ = 0;
};

// Rank 0 writes the settings. Ranks that do not share its folder write them too, so that each can resume.
void begin_run(ProcessGroup& group, const dataset::Dataset& set, const Options& options) {
  if (group.first()) write_started(set, options);
  group.barrier();
  if (!fs::exists(options.run / "options.json")) write_started(set, options);
}

}  // namespace

TrainResult train(const dataset::Dataset& set, store::Store& store, const Options& options,
                  const Validator& validator) {
  dataset::check_groups(set);
  dataset::check_classes(set);
  model::Recipe recipe = resolve(options.recipe, set);
  check_divisible(recipe.train.batch_size, options.world);
  ProcessGroup group(options.world, std::chrono::seconds(options.config.rank_timeout));
  try {
    agree(group, set, options, recipe);
    if (!options.resume && group.first()) check_unused(options.run);
    Trainer trainer(set, store, options, std::move(recipe), validator, group);
    if (!options.resume) begin_run(group, set, options);
    return trainer.run();
  } catch (const RankLost& e) {
    const bool begun = fs::exists(options.run / "options.json");
    throw Exception(e.code(), std::string(e.what()) + (begun ? resume_hint(options) : ""));
  } catch (const std::exception& e) {
    group.leave(e.what());
    throw;
  }
}

}  // namespace reeltag::train
