#include <nlohmann/json.hpp>

#include "commands.hpp"

namespace reeltag::app {

void add_config(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("config", "The configuration in force");
  cmd->fallthrough();
  cmd->require_subcommand(1);
  auto* show = cmd->add_subcommand("show", "List every key with its value, meaning and origin");
  show->callback([&context] {
    context.start();
    for (const auto& e : context.show_config()) {
      if (context.json) {
        print(nlohmann::ordered_json{{"key", e.key}, {"value", e.value}, {"meaning", e.meaning}, {"origin", e.origin}}
                  .dump());
      } else {
        print(e.key + " = " + e.value + "   # " + e.meaning + " [" + e.origin + "]");
      }
    }
  });
}

}  // namespace reeltag::app
