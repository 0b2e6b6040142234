// One net in a process of its own: random weights, a warm-up, timed passes, and the memory that it took.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <torch/version.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/model/mvit.hpp"

namespace reeltag::app {
namespace {

// Three passes, fewer of a net that takes long, and more of one that takes milliseconds: a moment's disturbance must
// not be its time.
constexpr std::size_t kPasses = 3;
constexpr double kLongEnough = 30.0, kTooShort = 0.5;  // seconds of timed passes in all

// Where memory runs out, this process is to end, not the one that waits for it.
void offer_to_be_killed() { std::ofstream("/proc/self/oom_score_adj") << "1000"; }

// The most memory that this process had at one time, in bytes.
double peak_bytes() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmHWM:")) return 1024.0 * std::stod(line.substr(6));
  }
  throw Exception(Code::unsupported, "/proc/self/status does not say VmHWM; measuring memory needs Linux");
}

double seconds_of_pass(model::Mvit& net, const at::Tensor& clip) {
  const auto begin = std::chrono::steady_clock::now();
  net.forward(clip);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::vector<double> timed_passes(const model::Plan& plan) {
  const at::NoGradGuard no_grad;
  model::Mvit net(plan, /*seed=*/0);
  net.set_training(false);
  const auto& d = plan.recipe.data;
  std::vector<std::int64_t> shape{1, d.input_channel_num[0], d.num_frames, d.train_crop_size, d.train_crop_size};
  if (plan.recipe.is_image()) shape.erase(shape.begin() + 2);
  const at::Tensor clip = at::randn(shape);
  seconds_of_pass(net, clip);  // warm-up
  std::vector<double> seconds;
  for (double total = 0.0; total < kTooShort || (seconds.size() < kPasses && total < kLongEnough);
       total += seconds.back()) {
    seconds.push_back(seconds_of_pass(net, clip));
  }
  return seconds;
}

// Torch's own errors become ours at this edge.
std::vector<double> guarded_passes(const model::Plan& plan) {
  try {
    return timed_passes(plan);
  } catch (const c10::Error& e) {
    const std::string message = e.what_without_backtrace();
    const bool memory = message.find("memory") != std::string::npos;
    throw Exception(memory ? Code::unavailable : Code::internal, (memory ? "out of memory: " : "libtorch: ") + message);
  } catch (const std::bad_alloc&) {
    throw Exception(Code::unavailable, "out of memory");
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2.0;
}

}  // namespace

void run_measure(Context& context, const MeasureArguments& a) {
  context.start();
  offer_to_be_killed();
  at::set_num_threads(a.threads);
  const model::Plan plan = model::make_plan(model::load_recipe(a.net));
  const auto seconds = guarded_passes(plan);
  const double ms = 1e3 * median(seconds), bytes = peak_bytes();
  if (context.json) {
    const nlohmann::ordered_json out{{"net", a.net},
                                     {"ms_per_view", ms},
                                     {"passes", seconds.size()},
                                     {"peak_memory_bytes", bytes},
                                     {"threads", at::get_num_threads()},
                                     {"libtorch", TORCH_VERSION}};
    return print(out.dump());
  }
  char text[200];
  std::snprintf(text, sizeof text, "%s: %.1f ms per view (median of %zu), %.2f GB, %d threads, libtorch %s",
                a.net.c_str(), ms, seconds.size(), bytes / 1e9, at::get_num_threads(), TORCH_VERSION);
  print(text);
}

}  // namespace reeltag::app
