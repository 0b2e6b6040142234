// Times a recipe's net by libtorch and by OpenVINO, in turns, on the closed-form weights of the reference vectors:
//   infer_bench RECIPE [--threads N] [--rounds N] [--profile]
// Prints one JSON object: for each runner the median of CPU seconds and of seconds passed per clip, and how far its
// logits are from libtorch's. --profile also prints OpenVINO's time by kind of operation, to stderr.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "reeltag/infer.hpp"
#include "reeltag/model/mvit.hpp"
#include "reeltag/model/mvit_graph.hpp"
#include "reeltag/model/recipe.hpp"

namespace {

using namespace reeltag;  // NOLINT: a program of one file
using Clock = std::chrono::steady_clock;
using Values = std::vector<float>;

struct Arguments {
  std::string recipe;
  int threads = 1, rounds = 5;
  bool profile = false;
};

struct Runner {
  std::string name;
  std::function<Values()> run;  // one clip -> its logits
  std::vector<double> cpu = {}, passed = {};
  double difference = 0.0;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double largest_difference(const Values& a, const Values& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, static_cast<double>(std::abs(a[i] - b[i])));
  return largest;
}

Runner libtorch_runner(const model::Plan& plan, const model::ClipSize& size) {
  const auto net = std::make_shared<model::Mvit>(plan, 0);
  model::fill_closed_form(*net);
  net->set_training(false);
  const auto clip = model::closed_form_input({1, 3, size.frames, size.height, size.width});
  return {"libtorch float32", [=] {
            const c10::InferenceMode inference;
            const auto logits = net->forward(clip);
            const float* data = logits.const_data_ptr<float>();
            return Values(data, data + logits.numel());
          }};
}

Runner openvino_runner(const model::Plan& plan, const std::shared_ptr<infer::CompiledNet>& net,
                       const model::ClipSize& size, infer::Precision precision) {
  const auto pixels = static_cast<std::size_t>(3) * static_cast<std::size_t>(size.frames) *
                      static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
  const auto clip = model::closed_form("input", pixels, 0.0, 2.0);
  const auto classes = static_cast<std::size_t>(plan.recipe.model.num_classes);
  return {"openvino " + std::string(name_of(precision)), [=] {
            Values logits(classes);
            net->run({{"clips", clip}}, {{"logits", logits}});
            return logits;
          }};
}

void measure(std::vector<Runner>& runners, int rounds) {
  const Values reference = runners.front().run();
  for (auto& runner : runners) runner.difference = largest_difference(runner.run(), reference);  // and warms up
  for (int round = 0; round < rounds; ++round) {
    for (auto& runner : runners) {
      const double cpu = cpu_seconds();
      const auto begin = Clock::now();
      runner.run();
      runner.cpu.push_back(cpu_seconds() - cpu);
      runner.passed.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    }
  }
}

void print_profile(const std::string& name, const infer::CompiledNet& net) {
  constexpr double kLeast = 0.001;  // seconds
  std::fprintf(stderr, "%s\n", name.c_str());
  for (const auto& [kind, kernel, seconds] : net.profile()) {
    if (seconds >= kLeast) std::fprintf(stderr, "  %-20s %-30s %.3f s\n", kind.c_str(), kernel.c_str(), seconds);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Times a recipe's net by libtorch and by OpenVINO");
  app.add_option("recipe", arguments.recipe)->required();
  app.add_option("--threads", arguments.threads)->check(CLI::PositiveNumber);
  app.add_option("--rounds", arguments.rounds)->check(CLI::PositiveNumber);
  app.add_flag("--profile", arguments.profile);
  CLI11_PARSE(app, argc, argv);

  at::set_num_threads(arguments.threads);
  const model::Plan plan = model::make_plan(model::load_recipe(arguments.recipe));
  const auto size = model::trained_size(plan, 1);
  model::Weights weights;
  for (const auto& [name, shape] : plan.parameters) weights.put(name, {shape, model::closed_form_weight(name, shape)});
  std::vector<Runner> runners{libtorch_runner(plan, size)};
  std::vector<std::shared_ptr<infer::CompiledNet>> nets;
  for (const auto precision : {infer::Precision::float32, infer::Precision::bfloat16}) {
    nets.push_back(std::make_shared<infer::CompiledNet>(
        model::mvit_graph(plan, weights, size), infer::Options{precision, arguments.threads}, arguments.profile));
    runners.push_back(openvino_runner(plan, nets.back(), size, precision));
  }
  measure(runners, arguments.rounds);

  nlohmann::ordered_json out{{"recipe", arguments.recipe}, {"threads", arguments.threads}};
  for (const auto& runner : runners) {
    out["runners"].push_back({{"name", runner.name},
                              {"cpu_seconds", median(runner.cpu)},
                              {"seconds", median(runner.passed)},
                              {"difference", runner.difference}});
  }
  std::puts(out.dump(1).c_str());
  for (std::size_t i = 0; arguments.profile && i < nets.size(); ++i) print_profile(runners[i + 1].name, *nets[i]);
}
