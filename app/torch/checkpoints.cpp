#include "reeltag/model/checkpoint.hpp"

#include <cctype>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "../commands.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/catalog.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/mvit.hpp"

namespace reeltag::app {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::int64_t kMaxVocabulary = 16 << 20;  // bytes
// Until it is calibrated, a class is believed from this score on.
constexpr double kThresholdAmongMany = 0.2, kThresholdAlone = 0.5;

model::Recipe recipe_of(const model::Checkpoint& file, const ImportCheckpointArguments& a) {
  if (!a.recipe.empty()) return model::load_recipe(a.recipe);
  if (!file.cfg.empty()) return model::parse_recipe(file.cfg, a.file.string() + " (cfg)");
  throw Exception(Code::invalid_argument, a.file.string() +
                                              " does not say which net it is of; name it, e.g. --recipe MVITv2_S_16x4 "
                                              "(reeltag models recipes lists them)");
}

// A class's name as a hashtag: "using remote controller (not gaming)" becomes "usingremotecontrollernotgaming".
std::string hashtag_of(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0 || c == '_') out += c;
  }
  return catalog::normalise_hashtag(out);
}

std::vector<std::string> vocabulary_of(const fs::path& file, int classes) {
  std::vector<std::string> out;
  char text[32];
  for (int i = 0; file.empty() && i < classes; ++i) {
    std::snprintf(text, sizeof text, "class_%04d", i);
    out.emplace_back(text);
  }
  if (file.empty()) return out;
  const std::string content = value_or_throw(read_file(file, kMaxVocabulary));
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    if (const std::string tag = hashtag_of(content.substr(begin, end - begin)); !tag.empty()) out.push_back(tag);
    begin = end + 1;
  }
  if (out.size() != static_cast<std::size_t>(classes)) {
    throw Exception(Code::invalid_argument, file.string() + " names " + std::to_string(out.size()) +
                                                " classes, the net has " + std::to_string(classes) +
                                                " (MODEL.NUM_CLASSES)");
  }
  return out;
}

ordered_json to_json(const model::Fitted& fitted) {
  ordered_json counts, names = nlohmann::json::array();
  const auto numbers = fitted.counts();
  for (std::size_t i = 0; i < numbers.size(); ++i) counts[model::kFateNames[i]] = numbers[i];
  for (const auto& line : fitted.report) {
    ordered_json one{{"name", line.name}, {"fate", model::kFateNames[static_cast<std::size_t>(line.fate)]}};
    if (!line.detail.empty()) one["detail"] = line.detail;
    if (!line.from.empty()) one["from"] = line.from;
    if (!line.to.empty()) one["to"] = line.to;
    names.push_back(one);
  }
  return {{"naming", fitted.naming}, {"counts", counts}, {"names", names}};
}

// Counts, and every name that was not simply loaded.
void print_report(const model::Fitted& fitted) {
  const auto numbers = fitted.counts();
  std::string counts = " ";
  for (std::size_t i = 0; i < numbers.size(); ++i)
    counts += " " + std::string(model::kFateNames[i]) + " " + std::to_string(numbers[i]);
  print("  names as " + fitted.naming + " gives them");
  print(counts);
  for (const auto& line : fitted.report) {
    if (line.fate == model::Fate::loaded) continue;
    std::string text = "  " + std::string(model::kFateNames[static_cast<std::size_t>(line.fate)]);
    text.resize(13, ' ');
    text += line.name + (line.detail.empty() ? "" : ": " + line.detail);
    if (!line.from.empty()) text += " " + model::shape_text(line.from);
    if (!line.to.empty()) text += " -> " + model::shape_text(line.to);
    print(text);
  }
}

// Throws when nothing fits, or --strict is not met; warns of a classifier that stayed random.
void judge(const model::Fitted& fitted, const ImportCheckpointArguments& a) {
  const auto [loaded, resampled, converted, missing, unused] = fitted.counts();
  if (loaded + resampled + converted == 0) {
    throw Exception(Code::corrupt,
                    a.file.string() + ": none of its " + std::to_string(unused) +
                        " names belongs to this net; is it of another architecture, or the wrong --recipe?");
  }
  if (a.strict && resampled + missing + unused > 0) {
    throw Exception(Code::corrupt, a.file.string() + " does not fit: " + std::to_string(missing) + " missing, " +
                                       std::to_string(unused) + " unused, " + std::to_string(resampled) +
                                       " of another size (--strict); without --strict it would be imported");
  }
  for (const auto& line : fitted.report) {
    if (line.fate != model::Fate::missing || line.name != "head.projection.weight") continue;
    const std::string shapes = line.from.empty() ? ""
                                                 : ": the file's is " + model::shape_text(line.from) + ", the net's " +
                                                       model::shape_text(line.to);
    log::warning("the classifier was not loaded and is random; train it before tagging",
                 {{"why", line.detail + shapes}});
  }
}

}  // namespace

void run_import_checkpoint(Context& context, const ImportCheckpointArguments& a) {
  context.start();
  const auto file = model::read_checkpoint(a.file);
  const model::Recipe recipe = recipe_of(file, a);
  for (const auto& warning : recipe.warnings) log::warning("recipe", {{"message", warning}});
  const model::Plan plan = model::make_plan(recipe);
  const bool multi_label = recipe.model.head_act == "sigmoid";
  model::Bundle bundle{.name = a.name.empty() ? a.file.stem().string() : a.name,
                       .recipe = plan.recipe,
                       .vocabulary = vocabulary_of(a.vocabulary, recipe.model.num_classes),
                       .multi_label = multi_label,
                       .thresholds = {},
                       .trained = {},
                       .card = {}};
  bundle.thresholds.assign(bundle.vocabulary.size(), multi_label ? kThresholdAlone : kThresholdAmongMany);
  const auto fitted = model::fit_weights(
      file.weights, plan, {.image_init = a.image_init, .inflate = a.inflate, .clear_names = a.clear_names});
  const fs::path folder = a.out.empty() ? context.home() / "models" / bundle.name : a.out;
  if (!context.json) {
    print(a.file.string() + " (" + file.format + ") -> " + folder.string());
    print_report(fitted);
  }
  judge(fitted, a);
  model::Mvit net(plan, 0);
  model::assign(fitted, net.parameters());
  bundle.trained = ordered_json{{"imported", a.file.filename().string()}, {"naming", fitted.naming}}.dump();
  model::save_bundle(folder, bundle, net, model::Precision::float32);
  if (!context.json) return print("  tag with it: reeltag tag --model " + bundle.name + " CLIP.mp4");
  ordered_json out{{"model", bundle.name}, {"folder", folder.string()}, {"format", file.format}};
  out.update(to_json(fitted));
  print(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void run_export(Context& context, const ExportArguments& a) {
  context.start();
  if (const auto ending = a.out.extension(); ending != ".safetensors" && ending != ".pyth" && ending != ".pt") {
    throw Exception(Code::invalid_argument, a.out.string() + ": the file must end in .safetensors, .pyth or .pt");
  }
  const auto folder = find_model(context.home(), a.model);
  const auto bundle = model::load_bundle(folder);
  const auto net = model::load_net(folder, bundle);
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
