// models publish, promote, rollback, remove and check; list and show are in version_list.cpp. Only check needs
// libtorch; promote runs it in a process of its own, so that a model that takes the process down is refused like any
// other that does not load.
#include "reeltag/registry.hpp"

#include <chrono>

#include <nlohmann/json.hpp>

#include "child.hpp"
#include "commands.hpp"
#include "commands/version_list.hpp"
#include "reeltag/base/stop.hpp"
#include "terminal.hpp"

namespace reeltag::app {
namespace {

using registry::Registry;
using registry::VersionId;
namespace fs = std::filesystem;

constexpr std::chrono::minutes kMaxCheck{30};  // a large net on a slow machine

struct VersionArguments {
  std::string model, name = registry::kDefaultName, alias = registry::kChampion, from;
  registry::Author author;
};

void test_in_a_child(const Context& context, const fs::path& folder) {
  const auto done = value_or_throw(run({fs::read_symlink("/proc/self/exe").string(), "--home", context.home().string(),
                                        "--json", "models", "check", folder.string()},
                                       {.deadline = kMaxCheck, .stop = stop::token()}));
  if (done.status != 0) throw Exception(error_of(done));
}

// "hashtags/3", "3" or "none".
std::optional<std::int64_t> expected(const Registry& models, const VersionId& id, const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "none") return 0;
  const bool number = text.find_first_not_of("0123456789") == std::string::npos;
  const VersionId from = find_version(models, number ? id.name + "/" + text : text);
  if (from.name != id.name) throw Exception(Code::invalid_argument, "--from " + text + " is no version of " + id.name);
  return from.number;
}

void publish(Context& context, const VersionArguments& a) {
  context.start();
  registry::check_name(a.name);
  const auto made = registry_of(context).publish(find_model(context.home(), a.model), a.name, a.author);
  const std::string version = to_string(made.version.id);
  if (context.json) {
    auto json = to_json(made.version);
    json["already"] = made.already;
    return print(to_text(json));
  }
  if (made.already) return print(version + " has the same files; nothing was copied");
  print("published " + version + ": " + std::to_string(made.version.hashtags.size()) + " hashtags, " +
        made.version.folder.string());
  print("  make it the one that tags: reeltag models promote " + version);
}

void print_move(const Context& context, const std::string& name, const registry::Change& change) {
  if (context.json) {
    auto json = to_json(change);
    json["name"] = name;
    return print(to_text(json));
  }
  print(change.alias + " of " + name + " is now " + name + "/" + std::to_string(change.version) +
        (change.from == 0 ? "" : ", before " + name + "/" + std::to_string(change.from)));
}

void promote(Context& context, const VersionArguments& a) {
  context.start();
  const Registry models = registry_of(context);
  const VersionId id = find_version(models, a.model);
  const auto change = models.promote(
      id, a.alias, [&](const fs::path& folder) { test_in_a_child(context, folder); }, a.author,
      expected(models, id, a.from));
  if (change) return print_move(context, id.name, *change);
  if (context.json) {
    return print(to_text({{"name", id.name}, {"version", id.number}, {"alias", a.alias}, {"already", true}}));
  }
  print(a.alias + " of " + id.name + " is " + to_string(id) + " already");
}

void rollback(Context& context, const VersionArguments& a) {
  context.start();
  print_move(context, a.name, registry_of(context).rollback(a.name, a.alias, a.author));
}

void remove(Context& context, const VersionArguments& a) {
  context.start();
  const Registry models = registry_of(context);
  const VersionId id = find_version(models, a.model);
  models.remove(id, a.author);
  print(context.json ? to_text({{"removed", to_string(id)}}) : "removed " + to_string(id));
}

void add_author(CLI::App& cmd, VersionArguments& a) {
  cmd.add_option("--by", a.author.by, "Author, for the history (default: user@host)");
  cmd.add_option("--why", a.author.why, "Reason, for the history");
}

void add_publish(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("publish", "Publish a run's model, or any bundle, as an immutable version");
  auto a = std::make_shared<VersionArguments>();
  cmd->add_option("model", a->model, "A run's id, an imported or shipped model, or a bundle's folder")->required();
  cmd->add_option("--name", a->name, "Name of the model whose versions these are")->capture_default_str();
  add_author(*cmd, *a);
  cmd->callback([a, &context] { publish(context, *a); });
}

void add_promote(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("promote", "Point an alias at this version after a self-test");
  auto a = std::make_shared<VersionArguments>();
  cmd->add_option("version", a->model, "hashtags/3, or only 3; or another alias, such as challenger")->required();
  cmd->add_option("--alias", a->alias, "champion, challenger, shadow, or one of your own")->capture_default_str();
  cmd->add_option("--from", a->from, "Refuse unless the alias still names this version, or none");
  add_author(*cmd, *a);
  cmd->callback([a, &context] { promote(context, *a); });
}

void add_rollback(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("rollback", "Let an alias name the version before; again: the one before that");
  auto a = std::make_shared<VersionArguments>();
  cmd->add_option("name", a->name, "Name of the model whose versions these are")->capture_default_str();
  cmd->add_option("--alias", a->alias, "Which alias")->capture_default_str();
  add_author(*cmd, *a);
  cmd->callback([a, &context] { rollback(context, *a); });
}

void add_remove(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("remove", "Delete a version that no alias names");
  auto a = std::make_shared<VersionArguments>();
  cmd->add_option("version", a->model, "hashtags/3, or only 3")->required();
  add_author(*cmd, *a);
  cmd->callback([a, &context] { remove(context, *a); });
}

void add_check(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("check", "Load a model and score a synthetic picture, as promote does");
  auto a = std::make_shared<CheckArguments>();
  cmd->add_option("model", a->model, kModelMeaning);
  cmd->callback([a, &context] { run_check(context, *a); });
}

}  // namespace

void add_versions(CLI::App& models, Context& context) {
  add_list(models, context);
  add_show(models, context);
  add_publish(models, context);
  add_promote(models, context);
  add_rollback(models, context);
  add_remove(models, context);
  add_check(models, context);
}

}  // namespace reeltag::app
