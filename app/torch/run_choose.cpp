#include <thread>

#include <torch/version.h>
#include <nlohmann/json.hpp>

#include "child.hpp"
#include "commands.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/base/subprocess.hpp"
#include "reeltag/model_selection.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

// Far beyond what building the largest net and four of its passes take; only a machine that swaps gets there.
constexpr std::chrono::hours kDeadline{1};

Result<model_selection::Measurement> measured_by_child(const model_selection::Net& net,
                                                       const model_selection::Machine& machine, const fs::path& home) {
  const auto done = run({fs::read_symlink("/proc/self/exe").string(), "--home", home.string(), "--json", "models",
                         "measure", net.name, "--threads", std::to_string(machine.threads)},
                        {.deadline = kDeadline, .stop = stop::token()});
  if (!done) return fail(done.error());
  if (done->status != 0) return fail(Code::unavailable, error_of(*done).message);
  const auto json = parse_json(done->out, "models measure " + net.name);
  if (!json) return fail(json.error());
  return model_selection::Measurement{.ms_per_view = json->at("ms_per_view").get<double>(),
                                      .peak_bytes = json->at("peak_memory_bytes").get<double>()};
}

void measure(Context& context, const ChooseArguments& a, model_selection::Answer& answer) {
  Progress progress("measure", static_cast<std::int64_t>(answer.nets_considered.nets.size()));
  model_selection::measure_nets(
      answer.nets_considered.nets,
      {.machine = answer.machine,
       .program = answer.program,
       .libtorch = answer.libtorch,
       .kept = context.home() / "choose" / "measured.json",
       .fresh = a.fresh,
       .all = a.all,
       .stop = stop::token()},
      [&](const model_selection::Net& net) { return measured_by_child(net, answer.machine, context.home()); },
      [&](std::int64_t done, const std::string& net) { progress.update(done, {{"net", net}}); });
}

model_selection::NetList nets_considered(const Context& context, const ChooseArguments& a) {
  model_selection::NetList all = model_selection::list_nets();
  for (const auto& run : model_selection::add_own_results(all.nets, context.home() / "runs"))
    log::info("run_passed_over", {{"run", run.net}, {"reason", run.reason}});
  model_selection::select(all, a.nets, a.dataset);
  return all;
}

// Only what nobody can guess from "no pick": each net that failed, on stderr, and status 3.
void report_failures(Context& context, const model_selection::Answer& answer) {
  for (const auto& net : answer.nets_considered.nets) {
    if (net.cost.failure.empty()) continue;
    context.status = 3;
    log::error("not_measured", {{"net", net.name}, {"reason", net.cost.failure}});
  }
}

}  // namespace

void run_choose(Context& context, const ChooseArguments& a) {
  context.start();
  const int wanted = context.config().train.threads;
  model_selection::Answer answer{
      .machine = model_selection::this_machine(
          wanted > 0 ? wanted : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))),
      .program = REELTAG_VERSION,
      .libtorch = TORCH_VERSION,
      .limits = {.ms_per_video = a.ms_per_video, .views = a.views},
      .nets_considered = nets_considered(context, a)};
  answer.limits.free_bytes = answer.machine.free_bytes;
  if (a.memory_gb) answer.limits.memory_bytes = 1e9 * *a.memory_gb;
  measure(context, a, answer);
  answer.choice = model_selection::choose(answer.nets_considered.nets, answer.limits, a.dataset);
  report_failures(context, answer);
  if (!answer.choice.fits) context.status = 1;
  const fs::path report = (a.out.empty() ? context.home() / "choose" : a.out) / "report.html";
  fs::create_directories(report.parent_path());
  write_file(report, model_selection::to_html(answer));
  if (context.json) return print(model_selection::to_json(answer));
  for (const auto& line : model_selection::to_table(answer)) print(line);
  print("report: " + report.string());
}

}  // namespace reeltag::app
