#include <thread>

#include <torch/version.h>
#include <nlohmann/json.hpp>

#include "../child.hpp"
#include "../commands.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/base/subprocess.hpp"
#include "reeltag/registry.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

// Far beyond what building the largest net and four of its passes take; only a machine that swaps gets there.
constexpr std::chrono::hours kDeadline{1};

Result<registry::Measurement> measured_by_child(const registry::Net& net, const registry::Machine& machine,
                                                const fs::path& home) {
  const auto done = run({fs::read_symlink("/proc/self/exe").string(), "--home", home.string(), "--json", "models",
                         "measure", net.name, "--threads", std::to_string(machine.threads)},
                        {.deadline = kDeadline, .stop = stop::token()});
  if (!done) return tl::unexpected(done.error());
  if (done->status != 0) return fail(Code::unavailable, error_of(*done).message);
  const auto json = parse_json(done->out, "models measure " + net.name);
  if (!json) return tl::unexpected(json.error());
  return registry::Measurement{.ms_per_view = json->at("ms_per_view").get<double>(),
                               .peak_bytes = json->at("peak_memory_bytes").get<double>()};
}

void measure(Context& context, const ChooseArguments& a, registry::Answer& answer) {
  Progress progress("measure", static_cast<std::int64_t>(answer.shelf.nets.size()));
  registry::measure_nets(
      answer.shelf.nets,
      {.machine = answer.machine,
       .program = answer.program,
       .libtorch = answer.libtorch,
       .kept = context.home() / "choose" / "measured.json",
       .fresh = a.fresh,
       .all = a.all,
       .stop = stop::token()},
      [&](const registry::Net& net) { return measured_by_child(net, answer.machine, context.home()); },
      [&](std::int64_t done, const std::string& net) { progress.update(done, {{"net", net}}); });
}

registry::Shelf shelf(const Context& context, const ChooseArguments& a) {
  registry::Shelf all = registry::list_nets();
  for (const auto& run : registry::add_own_results(all.nets, context.home() / "runs"))
    log::info("run_passed_over", {{"run", run.net}, {"reason", run.reason}});
  registry::select(all, a.nets, a.dataset);
  return all;
}

// Only what nobody can guess from "no pick": each net that failed, on stderr, and status 3.
void report_failures(Context& context, const registry::Answer& answer) {
  for (const auto& net : answer.shelf.nets) {
    if (net.cost.failure.empty()) continue;
    context.status = 3;
    log::error("not_measured", {{"net", net.name}, {"reason", net.cost.failure}});
  }
}

}  // namespace

void run_choose(Context& context, const ChooseArguments& a) {
  context.start();
  const int wanted = context.config().train.threads;
  registry::Answer answer{
      .machine = registry::this_machine(
          wanted > 0 ? wanted : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))),
      .program = REELTAG_VERSION,
      .libtorch = TORCH_VERSION,
      .limits = {.ms_per_video = a.ms_per_video, .views = a.views},
      .shelf = shelf(context, a)};
  answer.limits.free_bytes = answer.machine.free_bytes;
  if (a.memory_gb) answer.limits.memory_bytes = 1e9 * *a.memory_gb;
  measure(context, a, answer);
  answer.choice = registry::choose(answer.shelf.nets, answer.limits, a.dataset);
  report_failures(context, answer);
  if (!answer.choice.fits) context.status = 1;
  const fs::path report = (a.out.empty() ? context.home() / "choose" : a.out) / "report.html";
  fs::create_directories(report.parent_path());
  write_file(report, registry::to_html(answer));
  if (context.json) return print(registry::to_json(answer));
  for (const auto& line : registry::to_table(answer)) print(line);
  print("report: " + report.string());
}

}  // namespace reeltag::app
