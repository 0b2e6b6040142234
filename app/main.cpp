// The program's entry: global options, one add_ call a command, and errors turned into exit statuses.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "handover.hpp"
#include "reeltag/base/stop.hpp"
#include "terminal.hpp"

namespace {

using namespace reeltag;

void add_global_options(CLI::App& app, app::Context& context) {
  app.add_option("--home", context.home_option,
                 "Folder of everything reeltag keeps (default $REELTAG_HOME or ~/.reeltag)");
  app.add_option("--config", context.config_option, "Configuration file (default HOME/config.yaml)");
  app.add_option("--set", context.sets, "One configuration value, key=value; may be repeated")->allow_extra_args(false);
  app.add_flag("--json", context.json, "Results and errors as JSON, one object a line");
  app.add_flag("-q,--quiet", context.quiet, "Only errors on stderr");
  app.add_flag("-v,--verbose", context.verbose, "Log more to stderr");
}

int report(const Error& error, const app::Context& context) {
  if (context.json) {
    std::cerr << nlohmann::json{{"error", {{"code", code_name(error.code)}, {"message", error.message}}}}.dump(
                     -1, ' ', false, nlohmann::json::error_handler_t::replace)
              << "\n";
  } else {
    std::cerr << "reeltag: " << app::lines(error.message) << "\n";
  }
  return stop::exit_status() != 0 ? stop::exit_status() : exit_status(error.code);
}

// The last command that was read: `fetch` of `reeltag models fetch`.
const CLI::App& read_command(const CLI::App& cli) {
  const CLI::App* command = &cli;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::vector<std::string> subcommand_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* one : command.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(one->get_name());
  return names;
}

// "--threshold", ... of the command and of those above it.
std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* app = &command; app != nullptr; app = app->get_parent()) {
    for (const auto* option : app->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// " Did you mean tag?" for the first word that is no name here but nearly one. Empty if there is none.
std::string suggestion(const CLI::App& cli, const std::vector<char*>& words) {
  const auto& command = read_command(cli);
  const auto commands = subcommand_names(command), options = option_names(command);
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string word(words[i]);
    const bool is_option = word.starts_with("--");
    const auto& known = is_option ? options : commands;
    const auto name = word.substr(0, is_option ? word.find('=') : std::string::npos);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = config::nearest_name(name, known);
    if (near && *near != command.get_name()) return " Did you mean " + *near + "?";
  }
  return {};
}

// CLI11's own report of a wrong command line, or our JSON where that was asked for.
int report_usage(const CLI::App& cli, const CLI::ParseError& e, const std::vector<char*>& words) {
  if (e.get_exit_code() == 0) return cli.exit(e);  // --help, --version
  const auto near = suggestion(cli, words);
  if (std::find(words.begin(), words.end(), std::string_view("--json")) == words.end()) {
    std::ostringstream out, text;
    cli.exit(e, out, text);
    std::cerr << app::lines(text.str()) << (near.empty() ? "" : "\nreeltag:" + near) << "\n";
    return 2;
  }
  app::Context context;
  context.json = true;
  report({Code::invalid_argument, e.what() + near}, context);
  return 2;
}

// The words of the command line. Called as `reeltag-sagemaker`, what a container starts, it is the command `sagemaker`.
std::vector<char*> words_of(int argc, char** argv) {
  static char command[] = "sagemaker";
  std::vector<char*> words(argv, argv + argc);
  const std::string_view called(argc > 0 ? argv[0] : "");
  if (called.substr(called.rfind('/') + 1) == "reeltag-sagemaker") words.insert(words.begin() + 1, command);
  return words;
}

int run(int argc, char** argv) {
  app::remember_arguments(argv);
  auto words = words_of(argc, argv);
  app::Context context;
  CLI::App cli("reeltag makes short videos findable by what they show.", "reeltag");
  cli.set_version_flag("--version", "reeltag " REELTAG_VERSION);
  cli.fallthrough();
  cli.require_subcommand(1);
  add_global_options(cli, context);
  app::add_tag(cli, context);
  app::add_import(cli, context);
  app::add_collect(cli, context);
  app::add_dataset(cli, context);
  app::add_train(cli, context);
  app::add_evaluate(cli, context);
  app::add_models(cli, context);
  app::add_catalog(cli, context);
  app::add_index(cli, context);
  app::add_search(cli, context);
  app::add_serve(cli, context);
  app::add_tokens(cli, context);
  app::add_store(cli, context);
  app::add_forget(cli, context);
  app::add_sagemaker(cli, context);
  app::add_config(cli, context);
  app::add_doctor(cli, context);
  try {
    stop::install();
    cli.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::ParseError& e) {
    return report_usage(cli, e, words);
  } catch (const Exception& e) {
    return report(e.error(), context);
  } catch (const std::exception& e) {
    return report({Code::internal, e.what()}, context);
  }
  return context.status;
}

}  // namespace

namespace {
// Not a command for people: what media::Decoder starts for a video from outside (docs/adr/0013).
bool is_worker(int argc, char** argv) {
  return argc == 4 && std::string_view(argv[1]) == "decode-worker" && std::string_view(argv[2]) == "--fd" &&
         std::string_view(argv[3]) == "3";
}
}  // namespace

int main(int argc, char** argv) {
  try {
    if (is_worker(argc, argv)) return media::run_worker(3);
    const int status = run(argc, argv);
    store::shut_down();
    return status;
  } catch (...) {
    std::fputs("reeltag: failed while reporting an error\n", stderr);
    return 1;
  }
}
