// The command group "store": one file for each of its commands.
#include "commands.hpp"

namespace reeltag::app {

void add_store(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("store", "The place of the videos: look it through, move it, clear it up");
  cmd->fallthrough();
  cmd->require_subcommand(1);
  add_store_verify(*cmd, context);
  add_store_migrate(*cmd, context);
  add_store_gc(*cmd, context);
}

}  // namespace reeltag::app
