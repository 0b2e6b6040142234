#include "torch/import_checkpoint.hpp"

#include <cctype>
#include <cstdio>

#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/catalog.hpp"
#include "reeltag/hashtag.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/model/mvit.hpp"
#include "reeltag/registry.hpp"

namespace reeltag::app {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::int64_t kMaxVocabulary = 16 << 20;  // bytes
constexpr std::size_t kNamed = 4;                  // weights that an error names; the report has them all
// Until it is calibrated, a class is believed from this score on.
constexpr double kThresholdAmongMany = 0.2, kThresholdAlone = 0.5;

// A class's name as a hashtag: "using remote controller (not gaming)" becomes "usingremotecontrollernotgaming".
std::string hashtag_of(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0 || c == '_') out += c;
  }
  return hashtag::fold(out);
}

std::string line_text(const model::FitLine& line) {
  std::string text = line.name + (line.detail.empty() ? "" : ": " + line.detail);
  if (!line.from.empty()) text += " " + model::shape_text(line.from);
  if (!line.to.empty()) text += " -> " + model::shape_text(line.to);
  return text;
}

bool fits(const model::FitResult& fitted, Demand demand) {
  const auto [loaded, resampled, converted, missing, unused] = fitted.counts();
  if (demand == Demand::something) return loaded + resampled + converted > 0;
  return missing + resampled == 0 && (demand == Demand::net || unused == 0);
}

// Why a file is refused.
std::string misfit(const model::FitResult& fitted, const Import& how) {
  const auto [loaded, resampled, converted, missing, unused] = fitted.counts();
  if (loaded + resampled + converted == 0) {
    return how.file.string() + ": none of its " + std::to_string(unused) +
           " names belongs to this net; is it of another architecture, or the wrong recipe?";
  }
  std::string text = how.file.string() + " does not fit: " + std::to_string(missing) + " missing, " +
                     std::to_string(unused) + " unused, " + std::to_string(resampled) + " of another size (";
  std::size_t named = 0;
  for (const auto& line : fitted.report) {
    const bool counts = line.fate == model::Fate::missing || line.fate == model::Fate::resampled ||
                        (line.fate == model::Fate::unused && how.demand == Demand::all);
    if (!counts || ++named > kNamed) continue;
    text += (named == 1 ? "" : "; ") + line_text(line);
  }
  text += named > kNamed ? "; ...)" : ")";
  return how.demand == Demand::all ? text + "; without --strict it would be imported" : text;
}

void warn_of_random_classifier(const model::FitResult& fitted) {
  for (const auto& line : fitted.report) {
    if (line.fate != model::Fate::missing || line.name != "head.projection.weight") continue;
    const std::string shapes = line.from.empty() ? ""
                                                 : ": the file's is " + model::shape_text(line.from) + ", the net's " +
                                                       model::shape_text(line.to);
    log::warning("the classifier was not loaded and is random; train it before tagging",
                 {{"why", line.detail + shapes}});
  }
}

model::Bundle bundle_of(const Import& how, const model::Plan& plan) {
  const bool multi_label = how.recipe.model.head_act == "sigmoid";
  model::Bundle bundle{.name = how.name,
                       .recipe = plan.recipe,
                       .vocabulary = vocabulary_of(how.vocabulary, how.recipe.model.num_classes),
                       .multi_label = multi_label};
  bundle.scoring.thresholds.assign(bundle.vocabulary.size(), multi_label ? kThresholdAlone : kThresholdAmongMany);
  return bundle;
}

// Beside versions it would be hidden: their name comes first.
void refuse_name_of_versions(const Import& how) {
  const registry::Registry models(how.folder.parent_path());
  if (!models.has(how.folder.filename().string())) return;
  throw Exception(Code::already_exists,
                  how.folder.string() + " holds versions that were published; choose another --name, or -o FOLDER");
}

}  // namespace

std::vector<std::string> vocabulary_of(const fs::path& file, int classes) {
  std::vector<std::string> out;
  char text[32];
  for (int i = 0; file.empty() && i < classes; ++i) {
    std::snprintf(text, sizeof text, "class_%04d", i);
    out.emplace_back(text);
  }
  if (file.empty()) return out;
  std::string content = value_or_throw(read_file(file, kMaxVocabulary));
  if (content.starts_with("\xEF\xBB\xBF")) content.erase(0, 3);
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

ordered_json to_json(const model::FitResult& fitted) {
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
  return {{"naming", fitted.naming}, {"prefix", fitted.prefix}, {"counts", counts}, {"names", names}};
}

// Counts, and every name that was not simply loaded.
void print_report(const model::FitResult& fitted) {
  const auto numbers = fitted.counts();
  std::string counts = " ";
  for (std::size_t i = 0; i < numbers.size(); ++i)
    counts += " " + std::string(model::kFateNames[i]) + " " + std::to_string(numbers[i]);
  print("  names as " + fitted.naming + " gives them" +
        (fitted.prefix.empty() ? "" : ", without '" + fitted.prefix + "' before them"));
  print(counts);
  for (const auto& line : fitted.report) {
    if (line.fate == model::Fate::loaded) continue;
    std::string text = "  " + std::string(model::kFateNames[static_cast<std::size_t>(line.fate)]);
    text.resize(13, ' ');
    print(text + line_text(line));
  }
}

model::FitResult import_checkpoint(const Context& context, const model::Checkpoint& checkpoint, const Import& how) {
  refuse_name_of_versions(how);
  for (const auto& warning : how.recipe.warnings) log::warning("recipe", {{"message", warning}});
  const model::Plan plan = model::make_plan(how.recipe);
  model::Bundle bundle = bundle_of(how, plan);
  auto fitted = model::fit_weights(checkpoint.weights, plan, how.fit);
  if (!context.json) {
    print(how.file.string() + " (" + checkpoint.format + ") -> " + how.folder.string());
    print_report(fitted);
  }
  if (!fits(fitted, how.demand)) {
    ordered_json refused{{"refused", how.name}};
    refused.update(to_json(fitted));
    if (context.json) print(refused.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    throw Exception(Code::corrupt, misfit(fitted, how));
  }
  warn_of_random_classifier(fitted);
  model::Mvit net(plan, 0);
  model::assign(fitted, net.parameters());
  ordered_json trained = how.trained;
  trained["naming"] = fitted.naming;
  bundle.trained = trained.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto weights = model::arrays_of(net);
  model::save_bundle(how.folder, bundle, &weights, model::Precision::float32);
  return fitted;
}

}  // namespace reeltag::app
