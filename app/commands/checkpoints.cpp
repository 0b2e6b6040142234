// models import-checkpoint, fetch and export: their options. What they do is in torch/, but for the list of what can be
// fetched, which needs no model.
#include <cstdio>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/model/plan.hpp"
#include "reeltag/zoo.hpp"

namespace reeltag::app {
namespace {

using model_selection::ZooEntry;

nlohmann::ordered_json zoo_json(const Context& context, const ZooEntry& e, const model::Plan& plan) {
  nlohmann::ordered_json out{{"name", e.name},
                             {"trained_on", e.trained_on},
                             {"recipe", e.recipe},
                             {"parameters", plan.parameter_count},
                             {"classes", plan.recipe.model.num_classes},
                             {"named_classes", !e.vocabulary.empty()},
                             {"url", e.url},
                             {"state", model_selection::state_of(context.home(), e)}};
  if (e.top1 > 0.0) out["top1_claimed"] = e.top1;
  if (!e.views.empty()) out["views"] = e.views;
  if (!e.sha256.empty()) out["sha256"] = e.sha256;
  return out;
}

std::string zoo_row(const Context& context, const ZooEntry& e, const model::Plan& plan) {
  char top1[64] = "-", text[256];
  if (e.top1 > 0.0) {
    std::snprintf(top1, sizeof top1, "%.1f%s", e.top1, e.views.empty() ? "" : (" (" + e.views + ")").c_str());
  }
  std::snprintf(text, sizeof text, "%-22s %-23s %-10s %7.1f M  %-6s ", e.name.c_str(), e.trained_on.c_str(), top1,
                static_cast<double>(plan.parameter_count) / 1e6,
                std::string(model_selection::state_of(context.home(), e)).c_str());
  return text + e.url;
}

void print_zoo(const Context& context, const std::vector<ZooEntry>& zoo) {
  char head[256];
  std::snprintf(head, sizeof head, "%-22s %-23s %-10s %9s  %-6s %s", "name", "trained on", "top-1", "parameters",
                "state", "address");
  if (!context.json) print(head);
  for (const auto& entry : zoo) {
    const model::Plan plan = model::make_plan(model_selection::recipe_of(entry));
    print(context.json ? zoo_json(context, entry, plan).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                       : zoo_row(context, entry, plan));
  }
  if (!context.json) print("top-1 is in percent and what their authors claim; get one: reeltag models fetch NAME");
}

void add_import_checkpoint(CLI::App& models, Context& context) {
  auto* cmd = models.add_subcommand(
      "import-checkpoint", "Make a model of a .pyth, .pt or .safetensors: PySlowFast's, torchvision's, timm's");
  auto a = std::make_shared<ImportCheckpointArguments>();
  cmd->add_option("file", a->file, "The checkpoint")->required();
  cmd->add_option("--recipe", a->recipe, "A shipped recipe or a YAML file (default: the configuration in the file)");
  cmd->add_option("--vocabulary", a->vocabulary, "File with the class names, one a line in the order of the classes");
  cmd->add_option("--name", a->name, "Name of the model (default: the file's)");
  cmd->add_option("-o,--out", a->out, "Folder of the model (default: HOME/models/NAME)");
  auto* init =
      cmd->add_flag("--image-init", a->image_init, "Initialize a video net from an image net (CHECKPOINT_IN_INIT)");
  cmd->add_flag("--inflate", a->inflate, "Inflate image kernels along time (CHECKPOINT_INFLATE)")->excludes(init);
  cmd->add_option("--clear-name", a->clear_names, "Taken out of every name; may be repeated")->allow_extra_args(false);
  cmd->add_flag("--strict", a->strict, "Fail unless the weights of the file and of the net match one to one");
  cmd->callback([a, &context] { run_import_checkpoint(context, *a); });
}

void add_fetch(CLI::App& models, Context& context) {
  auto* cmd = models.add_subcommand(
      "fetch",
      "Download published weights and make them a model; without a name: what there is. Weights trained on "
      "Kinetics-400 "
      "tag at once; the others have no class names here and are for fine-tuning, or need --vocabulary");
  auto a = std::make_shared<FetchArguments>();
  auto* name = cmd->add_option("name", a->name, "Which, e.g. mvitv2-s-16x4-k400");
  cmd->add_flag("--list", a->list, "List the published weights, their claimed accuracy, and which are here already")
      ->excludes(name);
  cmd->add_option("--url", a->url, "Download from this URL instead, such as a mirror")->needs(name);
  cmd->add_option("--sha256", a->sha256, "SHA-256 that the file must have")->needs(name);
  cmd->add_option("--vocabulary", a->vocabulary, "File with the class names, one a line in the order of the classes")
      ->needs(name);
  cmd->add_option("--zoo", a->zoo, "YAML file with published weights (default: the shipped configs/zoo.yml)");
  cmd->callback([a, &context] {
    if (!a->name.empty()) return run_fetch(context, *a);
    context.start();
    print_zoo(context, model_selection::read_zoo(a->zoo.empty() ? model_selection::shipped_zoo() : a->zoo));
  });
}

void add_export(CLI::App& models, Context& context) {
  auto* cmd = models.add_subcommand(
      "export",
      "Write a model's weights as .safetensors, as a .pyth that Python loads, or the whole model as a folder");
  auto a = std::make_shared<ExportArguments>();
  cmd->add_option("model", a->model, "A shipped model, a run's id or a bundle's folder")->required();
  cmd->add_option("-o,--out", a->out, "The file, whose ending decides the format, or a folder")->required();
  auto* split = cmd->add_flag("--split-qkv", a->split_qkv, "Fused qkv projections as q, k and v");
  cmd->add_flag("--fuse-qkv", a->fuse_qkv, "Separate q, k, v projections as qkv")->excludes(split);
  cmd->callback([a, &context] { run_export(context, *a); });
}

}  // namespace

void add_checkpoints(CLI::App& models, Context& context) {
  add_import_checkpoint(models, context);
  add_fetch(models, context);
  add_export(models, context);
}

}  // namespace reeltag::app
