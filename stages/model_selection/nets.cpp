#include <algorithm>

#include "reeltag/base/config.hpp"
#include "reeltag/base/yaml.hpp"
#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {
namespace {

namespace fs = std::filesystem;

// The training set of a shipped recipe's classifier, by the recipe's folder.
std::string training_set_of(const std::string& name) {
  for (const auto& [prefix, set] :
       {std::pair{"Kinetics/", "kinetics"}, std::pair{"masked_ssl/k400_", "kinetics"},
        std::pair{"ImageNet/", "imagenet"}, std::pair{"masked_ssl/in1k_", "imagenet"}, std::pair{"SSv2/", "ssv2"}}) {
    if (name.starts_with(prefix)) return set;
  }
  return "";
}

// Converts a percentage to a share.
double share(const yaml::Node& published, const char* key) {
  const yaml::Node* node = published.find(key);
  if (node == nullptr) return kUnknown;
  double percent = 0.0;
  if (!yaml::read(node->text, percent) || !(percent > 0.0 && percent <= 100.0)) {
    throw Exception(Code::invalid_config,
                    node->place() + ": " + key + " must be a percentage above 0, not '" + node->text + "'");
  }
  return percent / 100.0;
}

Net make_net(const std::string& name, model::Recipe recipe) {
  const model::Plan plan = model::make_plan(recipe);
  return {.name = name,
          .training_set = training_set_of(name),
          .recipe = std::move(recipe),
          .parameters = plan.parameter_count,
          .multiply_adds = plan.multiply_adds.total(),
          .activation_bytes = activation_bytes(plan),
          .published = read_published(model::recipes_folder() / (name + ".meta.yml"))};
}

[[noreturn]] void no_such(const std::string& what, const std::string& name, const std::vector<std::string>& known) {
  const auto near = config::nearest_name(name, known);
  std::string hint = near ? "; did you mean " + *near + "?" : "; there are: ";
  if (!near) {
    for (std::size_t i = 0; i < known.size(); ++i) hint += (i == 0 ? "" : ", ") + known[i];
  }
  throw Exception(Code::invalid_argument, "no " + what + " is called '" + name + "'" + hint);
}

std::string full_name(const std::string& name, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return name;
  std::vector<std::string> same, all = known;
  for (const auto& k : known) {
    all.push_back(fs::path(k).filename().string());
    if (all.back() == name) same.push_back(k);
  }
  if (same.empty()) no_such("shipped net", name, all);
  if (same.size() > 1) {
    std::string list;
    for (const auto& s : same) list += (list.empty() ? "" : ", ") + s;
    throw Exception(Code::invalid_argument, "several shipped nets are called '" + name + "': " + list);
  }
  return same.front();
}

std::vector<std::string> training_sets(const Net& net) {
  std::vector<std::string> sets;
  if (!net.training_set.empty()) sets.push_back(net.training_set);
  for (const auto& own : net.own) sets.push_back(own.dataset + " (" + own.split + ")");
  return sets;
}

}  // namespace

std::optional<PublishedAccuracy> read_published(const fs::path& meta) {
  if (!fs::exists(meta)) return std::nullopt;
  const yaml::Node root = yaml::load(meta);
  const yaml::Node* published = root.find("published");
  if (published == nullptr) return std::nullopt;
  PublishedAccuracy out{.top1 = share(*published, "top1"), .top5 = share(*published, "top5")};
  if (const yaml::Node* views = published->find("views")) out.views = views->text;
  return out;
}

NetList list_nets() {
  NetList nets_considered;
  for (const auto& name : model::shipped_recipes()) {
    model::Recipe recipe = model::load_recipe(name);
    if (recipe.is_pretraining()) {
      nets_considered.omitted.push_back({name, "masked pre-training has no classifier to compare"});
    } else {
      nets_considered.nets.push_back(make_net(name, std::move(recipe)));
    }
  }
  return nets_considered;
}

void select(NetList& nets_considered, const std::vector<std::string>& names, const std::string& training_set) {
  if (!names.empty()) {
    std::vector<std::string> known, wanted;
    for (const auto& net : nets_considered.nets) known.push_back(net.name);
    for (const auto& out : nets_considered.omitted) known.push_back(out.net);
    for (const auto& name : names) wanted.push_back(full_name(name, known));
    const auto unwanted = [&](const std::string& name) {
      return std::find(wanted.begin(), wanted.end(), name) == wanted.end();
    };
    std::erase_if(nets_considered.nets, [&](const Net& net) { return unwanted(net.name); });
    std::erase_if(nets_considered.omitted, [&](const OmittedNet& out) { return unwanted(out.net); });
  }
  if (training_set.empty()) return;
  std::vector<std::string> known{"kinetics", "imagenet", "ssv2"};
  for (const auto& net : nets_considered.nets) {
    for (const auto& set : training_sets(net)) {
      if (std::find(known.begin(), known.end(), set) == known.end()) known.push_back(set);
    }
  }
  if (std::find(known.begin(), known.end(), training_set) == known.end()) no_such("training set", training_set, known);
  std::erase_if(nets_considered.nets, [&](const Net& net) {
    const auto sets = training_sets(net);
    return std::find(sets.begin(), sets.end(), training_set) == sets.end();
  });
  std::erase_if(nets_considered.omitted,
                [&](const OmittedNet& out) { return training_set_of(out.net) != training_set; });
}

}  // namespace reeltag::model_selection
