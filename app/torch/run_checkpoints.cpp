#include "reeltag/model/checkpoint.hpp"

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/image_encoder.hpp"
#include "reeltag/model/mvit.hpp"
#include "torch/import_checkpoint.hpp"

namespace reeltag::app {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

model::Recipe recipe_of(const model::Checkpoint& file, const ImportCheckpointArguments& a) {
  if (!a.recipe.empty()) return model::load_recipe(a.recipe);
  if (!file.cfg.empty()) return model::parse_recipe(file.cfg, a.file.string() + " (cfg)");
  throw Exception(Code::invalid_argument, a.file.string() +
                                              " does not say which net it is of; name it, e.g. --recipe MVITv2_S_16x4 "
                                              "(reeltag models recipes lists them)");
}

}  // namespace

void run_import_checkpoint(Context& context, const ImportCheckpointArguments& a) {
  context.start();
  const auto file = model::read_checkpoint(a.file);
  const std::string name = a.name.empty() ? a.file.stem().string() : a.name;
  const Import how{
      .file = a.file,
      .recipe = recipe_of(file, a),
      .vocabulary = a.vocabulary,
      .folder = a.out.empty() ? context.home() / "models" / name : a.out,
      .name = name,
      .fit = {.image_init = a.image_init, .inflate = a.inflate, .clear_names = a.clear_names},
      .demand = a.strict ? Demand::all : Demand::something,
      .trained = {{"imported", a.file.filename().string()}},
  };
  const auto fitted = import_checkpoint(context, file, how);
  if (!context.json) return print("  tag with it: reeltag tag --model " + name + " CLIP.mp4");
  ordered_json out{{"model", name}, {"folder", how.folder.string()}, {"format", file.format}};
  out.update(to_json(fitted));
  print(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

namespace {

// The model as a folder that needs nothing else: its image encoder is copied in.
void export_folder(const Context& context, const fs::path& folder, const model::Bundle& bundle, const fs::path& out) {
  if (fs::exists(out)) throw Exception(Code::already_exists, out.string() + " exists; name a new folder");
  fs::path part = out;
  part += ".part";
  fs::remove_all(part);
  fs::copy(folder, part);
  if (bundle.needs_image_encoder() && !fs::exists(part / "image_encoder.pth"))
    fs::copy_file(model::find_image_encoder(folder), part / "image_encoder.pth");
  fs::rename(part, out);
  if (context.json) return print(ordered_json{{"model", bundle.name}, {"folder", out.string()}}.dump());
  print("wrote " + out.string() + (bundle.needs_image_encoder() ? " with the image encoder's weights" : ""));
}

}  // namespace

void run_export(Context& context, const ExportArguments& a) {
  context.start();
  const auto ending = a.out.extension();
  if (!ending.empty() && ending != ".safetensors" && ending != ".pyth" && ending != ".pt") {
    throw Exception(Code::invalid_argument,
                    a.out.string() + ": a file must end in .safetensors, .pyth or .pt, a folder in nothing");
  }
  const auto folder = find_model(context.home(), a.model);
  const auto bundle = model::load_bundle(folder);
  if (ending.empty()) return export_folder(context, folder, bundle, a.out);
  const auto net = model::make_net(bundle.recipe, model::load_net_weights(folder, bundle));
  model::Checkpoint checkpoint;
  for (const auto& [name, tensor] : net.parameters()) checkpoint.weights.tensors.emplace_back(name, tensor.detach());
  if (a.split_qkv) model::split_qkv(checkpoint.weights);
  if (a.fuse_qkv) model::fuse_qkv(checkpoint.weights);
  checkpoint.cfg = model::to_yaml(bundle.recipe);
  model::write_checkpoint(a.out, checkpoint);
  const auto tensors = checkpoint.weights.tensors.size();
  if (context.json) {
    return print(ordered_json{{"model", bundle.name}, {"file", a.out.string()}, {"tensors", tensors}}.dump());
  }
  print("wrote " + a.out.string() + ": " + std::to_string(tensors) + " tensors of " + bundle.name);
}

}  // namespace reeltag::app
