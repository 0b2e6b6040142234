// models list and show.
#include "commands/version_list.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "terminal.hpp"

namespace reeltag::app {
namespace {

using nlohmann::ordered_json;
using registry::Change;
using registry::Registry;
using registry::Version;
namespace fs = std::filesystem;

constexpr std::size_t kColumns = 60;  // of a text that somebody typed

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

// "top-1 54.3 %, mAP 46.5 % on 186 test videos of 6417a2a29bb6d5af"
std::string figures_text(const std::string& figures) {
  const auto json = ordered_json::parse(figures);
  constexpr std::array<std::pair<const char*, const char*>, 4> kNames{
      {{"top1", "top-1"}, {"map", "mAP"}, {"gap20", "GAP@20"}, {"hit1", "Hit@1"}}};
  std::vector<std::string> words;
  for (const auto& [key, name] : kNames) {
    const auto it = json.find(key);
    if (it == json.end() || !it->is_number()) continue;
    char text[64];
    std::snprintf(text, sizeof text, "%s %.1f %%", name, 100 * it->get<double>());
    words.emplace_back(text);
  }
  if (words.empty()) return "";
  const auto text_of = [&](const char* key) {
    const auto it = json.find(key);
    return it == json.end() ? "" : it->is_string() ? it->get<std::string>() : it->dump();
  };
  return joined(words, ", ") + " on " + text_of("videos") + " " + one_line(text_of("split"), kColumns) + " videos of " +
         one_line(text_of("dataset"), kColumns);
}

std::string change_line(const Change& c, const std::string& name) {
  std::string what = std::string(act_name(c.act)) + " " + name + "/" + std::to_string(c.version);
  if (!c.alias.empty()) what += " as " + c.alias;
  if (c.from > 0) what += " instead of " + std::to_string(c.from);
  if (c.act == registry::Act::evaluate) what += ": " + figures_text(c.figures);
  return c.at + "  " + what + "  by " + one_line(c.by, kColumns) +
         (c.why.empty() ? "" : ": " + one_line(c.why, kColumns));
}

// A version in the table of its name.
std::string version_row(const Version& v) {
  char text[128];
  const std::string aliases = joined(v.aliases, ", ");
  std::snprintf(text, sizeof text, "  %-6lld  %-20s  ", static_cast<long long>(v.id.number), aliases.c_str());
  if (!v.fault.empty()) return text + ("broken: " + one_line(v.fault, std::string::npos));
  const std::string figures = figures_text(v.figures);
  return text + v.at + "  " + one_line(v.run.empty() ? v.bundle : v.run, kColumns) + ", " +
         std::to_string(v.hashtags.size()) + " hashtags" + (figures.empty() ? "" : "; " + figures);
}

void print_versions(const std::string& name, const std::vector<Version>& versions) {
  print(name);
  for (const auto& v : versions) print(version_row(v));
  if (versions.empty()) print("  no versions");
}

ordered_json to_json(const std::string& name, const Registry& models, const std::vector<Version>& versions) {
  ordered_json list = ordered_json::array();
  for (const auto& v : versions) list.push_back(registry::to_json(v));
  return {{"name", name}, {"aliases", models.aliases(name)}, {"versions", list}};
}

// What stands in for a champion; an error where it is not to be had.
ordered_json starter_json() {
  const fs::path folder = models_folder() / "starter";
  try {
    const Version starter = registry::describe_bundle(folder);
    return {{"folder", folder.string()},
            {"bundle", starter.bundle},
            {"run", starter.run},
            {"dataset", starter.dataset},
            {"hashtags", starter.hashtags}};
  } catch (const Exception& e) {
    return {{"folder", folder.string()}, {"error", {{"code", code_name(e.code())}, {"message", e.what()}}}};
  }
}

// What tags where no model is named.
std::string default_of(const ordered_json& listed) {
  for (const auto& one : listed) {
    if (one["name"] == registry::kDefaultName && one["aliases"].contains(registry::kChampion))
      return std::string(registry::kDefaultName) + "/" + one["aliases"][registry::kChampion].dump();
  }
  return "starter";
}

void name_broken_ones(Context& context, const std::vector<Version>& versions) {
  for (const auto& v : versions) {
    if (!v.fault.empty()) context.item_failed(to_string(v.id), {Code::corrupt, v.fault}, "version");
  }
}

void list(Context& context) {
  context.start();
  const Registry models = registry_of(context);
  ordered_json listed = ordered_json::array();
  for (const auto& name : models.names()) {
    try {
      const auto versions = models.versions(name);
      listed.push_back(to_json(name, models, versions));
      if (!context.json) print_versions(name, versions);
      name_broken_ones(context, versions);
    } catch (const Exception& e) {  // a history that cannot be read
      context.item_failed(name, e.error(), "model");
    }
  }
  const auto starter = starter_json();
  if (context.json) return print(to_text({{"models", listed}, {"default", default_of(listed)}, {"starter", starter}}));
  print("tags where no --model is given: " + default_of(listed));
  print("starter: " + starter["folder"].get<std::string>() +
        (starter.contains("error") ? ", which cannot be used: " + starter["error"]["message"].get<std::string>()
                                   : ", " + std::to_string(starter["hashtags"].size()) + " hashtags"));
}

ordered_json to_json(const std::vector<Change>& history) {
  ordered_json out = ordered_json::array();
  for (const auto& change : history) out.push_back(registry::to_json(change));
  return out;
}

void show_name(Context& context, const Registry& models, const std::string& name) {
  const auto versions = models.versions(name);
  const auto history = models.history(name);
  name_broken_ones(context, versions);
  if (context.json) {
    auto json = to_json(name, models, versions);
    json["history"] = to_json(history);
    return print(to_text(json));
  }
  print_versions(name, versions);
  print("history");
  for (const auto& change : history) print("  " + change_line(change, name));
}

// A promotion is part of the history of both versions.
std::vector<Change> history_of(const Registry& models, const registry::VersionId& id) {
  auto history = models.history(id.name);
  std::erase_if(history, [&](const Change& c) { return c.version != id.number && c.from != id.number; });
  return history;
}

void show_version(Context& context, const Registry& models, const registry::VersionId& id) {
  const Version v = models.get(id);
  const auto history = history_of(models, id);
  if (context.json) {
    auto json = registry::to_json(v);
    json.update({{"card", card_of(v)}, {"recipe", recipe_of(v)}, {"history", to_json(history)}});
    return print(to_text(json));
  }
  const auto line = [](const std::string& what, const std::string& text) {
    if (!text.empty()) print("  " + what + std::string(12 - what.size(), ' ') + one_line(text, std::string::npos));
  };
  print(to_string(id));
  line("aliases", joined(v.aliases, ", "));
  line("published", v.at + " by " + v.by);
  line("from", v.source);
  line("run", v.run);
  line("dataset", v.dataset);
  line("hashtags", std::to_string(v.hashtags.size()) + ": " + joined(v.hashtags, ", "));
  line("figures", figures_text(v.figures));
  line("digest", v.digest + ", as published");
  line("folder", v.folder.string());
  print("history");
  for (const auto& change : history) print("  " + change_line(change, id.name));
  if (const auto card = card_of(v); !card.empty()) print("\n" + lines(card));
}

}  // namespace

Registry registry_of(const Context& context) { return Registry(context.home() / "models"); }

registry::VersionId find_version(const Registry& models, const std::string& text) {
  if (const auto id = models.find(text)) return *id;
  if (models.has(text)) models.find("models:/" + text);  // says what is missing
  throw Exception(Code::not_found, "no version '" + text +
                                       "': want NAME/NUMBER or NAME@ALIAS, or a number or an alias of " +
                                       registry::kDefaultName + " (reeltag models list shows what there is)");
}

std::string to_text(const ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void add_list(CLI::App& models, Context& context) {
  auto* cmd = models.add_subcommand("list", "The versions that were published, their aliases and figures");
  cmd->callback([&context] { list(context); });
}

void add_show(CLI::App& models, Context& context) {
  auto* cmd = models.add_subcommand("show", "One version with its card, figures and history, or all of a name");
  auto model = std::make_shared<std::string>();
  cmd->add_option("model", *model, "hashtags/3, an alias such as champion, or a name")->required();
  cmd->callback([model, &context] {
    context.start();
    const Registry registry = registry_of(context);
    if (registry.has(*model)) return show_name(context, registry, *model);
    show_version(context, registry, find_version(registry, *model));
  });
}

}  // namespace reeltag::app
