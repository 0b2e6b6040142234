#include "reeltag/model/verify.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/model/masked.hpp"
#include "reeltag/model/mvit.hpp"
#include "reeltag/model/mvit_graph.hpp"
#include "reeltag/model/optim.hpp"
#include "reeltag/model/plan.hpp"
#include "reeltag/model/safetensors.hpp"

namespace reeltag::model {
namespace {

using nlohmann::json;
using torch::Tensor;

constexpr double kOutputTolerance = 2e-5;    // absolute, float32 outputs of unit scale
constexpr double kGradientTolerance = 1e-4;  // relative to the tensor's largest gradient
constexpr double kLossTolerance = 1e-4;      // absolute; losses are of order 1
constexpr std::int64_t kMaxJson = 64 << 20;

double max_abs_difference(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  if (a.numel() == 0) return 0.0;
  const double difference = (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>();
  return std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
}

// Absolute error of an output, in units of its scale where that is above 1: deep full-size traces grow.
double output_error(const Tensor& got, const Tensor& want) {
  const double scale = want.numel() > 0 ? std::max(1.0, want.to(torch::kDouble).abs().max().item<double>()) : 1.0;
  return max_abs_difference(got, want) / scale;
}

double relative_error(const Tensor& got, const Tensor& want) {
  const double scale = want.numel() > 0 ? want.to(torch::kDouble).abs().max().item<double>() : 0.0;
  const double difference = max_abs_difference(got, want);
  return scale > 0 ? difference / scale : difference;
}

// Excludes gradients that are zero by softmax's shift invariance (a bias on all keys), where only noise is left.
Tensor meaningful(const std::string& name, const Tensor& values, const std::set<std::string>& names, bool pool_first) {
  if (name.ends_with("norm_k.bias") || (pool_first && name.ends_with("attn.k.bias"))) return {};
  const bool pooled_k = names.count(name.substr(0, name.rfind("attn.") + 5) + "norm_k.bias") > 0;
  if (name.ends_with("attn.k.bias") && !pooled_k) return {};
  if (name.ends_with("attn.qkv.bias") && !pooled_k) {
    const std::int64_t third = values.size(0) / 3;
    return torch::cat({values.narrow(0, 0, third), values.narrow(0, 2 * third, third)});
  }
  return values;
}

class Verifier {
 public:
  explicit Verifier(VerifyReport& report) : report_(report) {}

  void check(const std::string& what, double error, double tolerance) {
    report_.checks.push_back({what, error, tolerance});
  }

  void finish() {
    report_.passed = !report_.checks.empty() && std::all_of(report_.checks.begin(), report_.checks.end(),
                                                            [](const Check& c) { return c.passed(); });
  }

  // engine: of libtorch's or OpenVINO's computation.
  void logits(const std::string& engine, const Tensor& got, const Tensor& want) {
    const double error = max_abs_difference(got, want);
    report_.max_abs = std::max(report_.max_abs, error);
    check("logits/" + engine, error, kOutputTolerance);
  }

 private:
  VerifyReport& report_;
};

ClipSize size_of(const Tensor& clips) {
  const auto axis = [&](std::int64_t a) { return static_cast<int>(clips.size(a)); };
  return {.batch = axis(0), .frames = clips.dim() == 5 ? axis(2) : 1, .height = axis(-2), .width = axis(-1)};
}

// The logits of the same net as an inference graph.
Tensor logits_of_graph(const Mvit& net, const Tensor& clips) {
  Weights weights;
  for (auto& [name, array] : arrays_of(net)) weights.put(name, std::move(array));
  const infer::CompiledNet graph(mvit_graph(net.plan(), weights, size_of(clips)), {.threads = at::get_num_threads()});
  const Tensor input = clips.to(torch::kFloat).contiguous();
  Tensor logits = torch::empty({clips.size(0), net.plan().recipe.model.num_classes});
  graph.run({{"clips", {input.const_data_ptr<float>(), static_cast<std::size_t>(input.numel())}}},
            {{"logits", {logits.mutable_data_ptr<float>(), static_cast<std::size_t>(logits.numel())}}});
  return logits;
}

template <class Net>
void load_weights(Net& net, const TensorFile& file, Verifier& v) {
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : net.parameters()) {
    const Tensor* stored = file.find("param/" + name);
    if (stored == nullptr || stored->sizes() != tensor.sizes()) {
      throw Exception(Code::invalid_argument, "the vector has no param/" + name + " of the net's shape");
    }
    tensor.copy_(*stored);
  }
  std::size_t stored = 0;
  for (const auto& [name, tensor] : file.tensors) {
    // The reference counts the constants of its gradient filters (hogs) among the weights.
    stored += name.starts_with("param/") && !name.starts_with("param/hogs.") ? 1 : 0;
  }
  v.check("parameters", std::abs(static_cast<double>(stored) - static_cast<double>(net.parameters().size())), 0.0);
}

void check_forward(Mvit& net, const TensorFile& file, Verifier& v) {
  torch::NoGradGuard no_grad;
  net.set_training(false);
  std::vector<std::pair<std::string, double>> seen;
  net.observe([&](const std::string& where, const Tensor& output) {
    if (const Tensor* want = file.find("act/" + where)) {
      seen.emplace_back("act/" + where, output_error(output.narrow(0, 0, 1), *want));
    }
  });
  const Tensor logits = net.forward(file.at("input"));
  net.observe({});
  for (const auto& [what, error] : seen) v.check(what, error, kOutputTolerance);
  v.logits("torch", logits, file.at("logits"));
  v.logits("openvino", logits_of_graph(net, file.at("input")), file.at("logits"));
  if (const Tensor* output = file.find("output"))
    v.check("output", max_abs_difference(net.activate(logits), *output), kOutputTolerance);
}

void check_step(const Mvit& net, const TensorFile& file, const std::map<std::string, Tensor>& gradients, double rate,
                double weight_decay, Verifier& v) {
  double worst = 0.0;
  for (const auto& [name, p] : net.parameters()) {
    const Tensor* want = file.find("step1/" + name);
    if (want == nullptr) continue;
    // AdamW amplifies rounding noise to a full step of either sign: compares weights where the gradient is above noise,
    // and elsewhere checks only that the weight moved by no more than a step.
    const Tensor g = gradients.at(name).abs();
    const Tensor clear = g > 1e-5 * g.max();
    const Tensor difference = (p.detach() - *want).abs();
    const double scale = std::max(want->abs().max().item<double>(), 1e-12);
    const bool noise = name.ends_with("norm_k.bias") || name.ends_with("qkv.bias") || name.ends_with("attn.k.bias");
    if (!noise) worst = std::max(worst, (difference * clear).max().item<double>() / scale);
    const double step = 2 * rate * (1 + weight_decay * scale) + 1e-6;
    worst = std::max(worst, difference.max().item<double>() > step ? 1.0 : 0.0);
  }
  v.check("step1", worst, kGradientTolerance);
}

void check_training(Mvit& net, const Recipe& recipe, const json& golden, const TensorFile& file, Verifier& v) {
  if (file.find("train/target") == nullptr) return;
  net.set_training(true);
  const auto parameters = net.parameters();
  const Tensor target = file.at("train/target");
  const double rate = learning_rate(recipe, golden.value("epoch_exact", 0.0));
  if (golden.contains("lr")) v.check("lr", std::abs(rate / golden["lr"].get<double>() - 1.0), 1e-9);

  const auto losses = golden.value("losses_3_steps_same_batch", std::vector<double>{});
  const auto norms = golden.value("grad_norms_before_clip_3_steps", std::vector<double>{});
  std::set<std::string> names;
  for (const auto& [name, p] : parameters) names.insert(name);
  const bool pool_first = recipe.mvit.pool_first;
  std::optional<AdamW> optimizer;  // none: the recipe's is not built yet, and outputs and gradients are all there is
  if (is_supported(recipe.solver)) optimizer.emplace(parameters, recipe);
  const std::size_t steps = optimizer ? std::max<std::size_t>(losses.size(), 1) : 1;
  for (std::size_t step = 0; step < steps; ++step) {
    const Tensor logits = net.forward(file.at("input"));
    const Tensor value = loss(recipe.model.loss_func, logits, target);
    if (optimizer) optimizer->zero_grad();
    value.backward();
    if (step < losses.size())
      v.check("loss" + std::to_string(step + 1), std::abs(value.item<double>() - losses[step]), kLossTolerance);
    std::map<std::string, Tensor> gradients;
    for (const auto& [name, p] : parameters)
      gradients[name] = p.grad().defined() ? p.grad().clone() : torch::zeros_like(p);
    if (step == 0) {
      v.check("train/logits", max_abs_difference(logits.detach(), file.at("train/logits")), kOutputTolerance);
      for (const auto& [name, gradient] : gradients) {
        const Tensor* want = file.find("grad/" + name);
        if (want == nullptr) continue;
        const Tensor got = meaningful(name, gradient, names, pool_first);
        if (got.defined())
          v.check("grad/" + name, relative_error(got, meaningful(name, *want, names, pool_first)), kGradientTolerance);
      }
    }
    const double norm = clip_gradients(parameters, recipe.solver.clip_grad_l2norm.value_or(0.0));
    if (step < norms.size()) v.check("grad_norm" + std::to_string(step + 1), std::abs(norm / norms[step] - 1.0), 1e-3);
    if (!optimizer) return;
    optimizer->step(rate);
    if (step == 0) check_step(net, file, gradients, rate, recipe.solver.weight_decay, v);
  }
}

void check_groups(const Mvit& net, const Recipe& recipe, const json& golden, Verifier& v) {
  if (!golden.contains("param_groups") || !is_supported(recipe.solver)) return;
  const auto groups = parameter_groups(recipe, net.parameters());
  bool same = groups.size() == golden["param_groups"].size();
  for (std::size_t i = 0; same && i < groups.size(); ++i) {
    const auto& want = golden["param_groups"][i];
    const auto names = want.at("names").get<std::set<std::string>>();
    same = names == std::set<std::string>(groups[i].names.begin(), groups[i].names.end()) &&
           want.at("weight_decay").get<double>() == groups[i].weight_decay;
  }
  v.check("param_groups", same ? 0.0 : 1.0, 0.0);
}

void check_masked(const Plan& plan, const TensorFile& file, Verifier& v) {
  torch::NoGradGuard no_grad;
  MaskedMvit net(plan, 0);
  load_weights(net, file, v);
  net.set_training(false);
  const MaskedTarget masked = net.forward(file.at("input"), file.at("mask"));
  v.logits("torch", masked.prediction[0], file.at("pred"));
  v.check("label", max_abs_difference(masked.target[0], file.at("label")), kOutputTolerance);
  v.check("loss", max_abs_difference(MaskedMvit::loss(masked).flatten(), file.at("loss").flatten()), kOutputTolerance);
}

void verify_small(const json& golden, const std::filesystem::path& tensors, const std::optional<Recipe>& given,
                  Verifier& v) {
  const TensorFile file = read_safetensors(tensors);
  Recipe recipe = given.value_or(Recipe{});
  if (!given) {
    for (const auto& [key, value] : golden.at("config").items()) set(recipe, key, value);
  }
  const Plan plan = make_plan(recipe);
  if (recipe.is_pretraining()) return check_masked(plan, file, v);
  Mvit net(plan, 0);
  load_weights(net, file, v);
  check_forward(net, file, v);
  check_groups(net, recipe, golden, v);
  check_training(net, recipe, golden, file, v);
}

// ---- full-size vectors ---------------------------------------------------------------------------------------------

Tensor values(const json& list) { return torch::tensor(list.get<std::vector<double>>(), torch::kDouble); }

void check_trace(const json& entry, const Tensor& output, Verifier& v) {
  const std::string at = entry.at("at");
  const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
  if (output.sizes().vec() != shape) return v.check("trace/" + at + "/shape", 1.0, 0.0);
  const Tensor flat = output.flatten().to(torch::kDouble);
  const Tensor first = values(entry.at("first8")), last = values(entry.at("last4"));
  v.check("trace/" + at + "/first8", output_error(flat.narrow(0, 0, first.numel()), first), kOutputTolerance);
  v.check("trace/" + at + "/last4", output_error(flat.narrow(0, flat.numel() - last.numel(), last.numel()), last),
          kOutputTolerance);
  v.check("trace/" + at + "/mean", std::abs(flat.mean().item<double>() - entry.at("mean").get<double>()),
          kOutputTolerance);
  v.check("trace/" + at + "/mean_abs", std::abs(flat.abs().mean().item<double>() - entry.at("mean_abs").get<double>()),
          kOutputTolerance);
}

Recipe full_size_recipe(const json& golden, const std::optional<Recipe>& given) {
  if (given) return *given;
  std::string name = golden.at("yaml");
  if (name.ends_with(".yaml")) name.resize(name.size() - 5);
  Recipe recipe = load_recipe(name);
  // Overrides are a flat list KEY, VALUE, KEY, VALUE ...
  const json overrides = golden.value("overrides", json::array());
  for (std::size_t i = 0; i + 1 < overrides.size(); i += 2)
    set(recipe, overrides[i].get<std::string>(), overrides[i + 1]);
  return recipe;
}

void verify_full_size(const json& golden, const std::optional<Recipe>& given, Verifier& v) {
  torch::NoGradGuard no_grad;
  const Plan plan = make_plan(full_size_recipe(golden, given));
  if (golden.contains("params")) {
    v.check("params", std::abs(static_cast<double>(plan.parameter_count) - golden["params"].get<double>()), 0.0);
  }
  Mvit net(plan, 0);
  net.set_training(false);
  fill_closed_form(net);
  if (golden.contains("sample_params")) {
    const auto parameters = net.parameters();
    const std::map<std::string, Tensor> by_name(parameters.begin(), parameters.end());
    for (const auto& [name, list] : golden["sample_params"].items()) {
      const auto it = by_name.find(name);
      const Tensor want = values(list);
      v.check("param/" + name,
              it == by_name.end() ? 1.0 : max_abs_difference(it->second.flatten().narrow(0, 0, want.numel()), want),
              1e-7);
    }
  }
  std::map<std::string, json> trace;
  for (const auto& entry : golden.value("trace", json::array())) trace[entry.at("at")] = entry;
  std::size_t seen = 0;
  net.observe([&](const std::string& where, const Tensor& output) {
    if (const auto it = trace.find(where); it != trace.end()) {
      ++seen;
      check_trace(it->second, output, v);
    }
  });
  const Tensor clips = closed_form_input(golden.at("input_shape").get<std::vector<std::int64_t>>());
  const Tensor logits = net.forward(clips), want = values(golden.at("logits")).to(torch::kFloat);
  v.check("trace", static_cast<double>(trace.size() - seen), 0.0);
  v.logits("torch", logits.flatten(), want);
  v.logits("openvino", logits_of_graph(net, clips).flatten(), want);
}

}  // namespace

VerifyReport verify(const std::filesystem::path& golden, const std::optional<Recipe>& recipe) {
  const json vector = json::parse(value_or_throw(read_file(golden, kMaxJson)), nullptr, false);
  if (!vector.is_object())
    throw Exception(Code::corrupt, golden.string() + " is not a reference vector: not a JSON object");
  VerifyReport report;
  report.name = vector.value("name", golden.stem().string());
  Verifier v(report);
  try {
    std::filesystem::path tensors = golden;
    tensors.replace_extension(".safetensors");
    if (vector.contains("input_shape")) {
      verify_full_size(vector, recipe, v);
    } else {
      verify_small(vector, tensors, recipe, v);
    }
  } catch (const json::exception& e) {
    throw Exception(Code::corrupt, golden.string() + " is not a complete reference vector: " + e.what());
  }
  v.finish();
  return report;
}

}  // namespace reeltag::model
