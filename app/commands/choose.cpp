// models choose and its child, models measure: their options. What they do is in torch/.
#include "commands.hpp"

namespace reeltag::app {
namespace {

void add_measure(CLI::App& models, Context& context) {
  auto* cmd = models.add_subcommand("measure", "Time and memory of one net, in this process; choose runs it");
  cmd->group("Internal");
  auto a = std::make_shared<MeasureArguments>();
  cmd->add_option("recipe", a->net, "A shipped recipe")->required();
  cmd->add_option("--threads", a->threads, "Threads of the network")->check(CLI::Range(1, 1024))->capture_default_str();
  cmd->callback([a, &context] { run_measure(context, *a); });
}

}  // namespace

void add_choose(CLI::App& models, Context& context) {
  auto* cmd =
      models.add_subcommand("choose", "Compare the nets by accuracy, time and memory on this machine, and pick one");
  auto a = std::make_shared<ChooseArguments>();
  cmd->add_option("--ms-per-video", a->ms_per_video, "Time limit for a video, in milliseconds, all its views together")
      ->check(CLI::PositiveNumber);
  cmd->add_option("--memory", a->memory_gb, "Memory limit, in GB of 1e9 bytes")->check(CLI::PositiveNumber);
  cmd->add_option("--views", a->views, "Views of a video")->check(CLI::Range(1, 1000))->capture_default_str();
  cmd->add_option("--dataset", a->dataset,
                  "Only nets of this training set: kinetics, imagenet, ssv2, or an own one as the table names it");
  cmd->add_option("--net", a->nets, "Only this net; may be repeated")->allow_extra_args(false);
  cmd->add_flag("--all", a->all, "Also measure nets that take over 20 s a pass or more memory than is free");
  cmd->add_flag("--fresh", a->fresh, "Measure again, without the stored measurements");
  cmd->add_option("--out", a->out, "Folder of report.html (default: HOME/choose)");
  cmd->callback([a, &context] { run_choose(context, *a); });
  add_measure(models, context);
}

}  // namespace reeltag::app
