// models import-checkpoint, fetch and export: their options. What they do is in torch/, but for the list of what can be
// fetched, which needs no model.
#include "commands.hpp"
#include "commands/zoo.hpp"

namespace reeltag::app {
namespace {

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
    print_zoo(context, read_zoo(a->zoo.empty() ? shipped_zoo() : a->zoo));
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
