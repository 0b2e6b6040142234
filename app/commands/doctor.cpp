#include <thread>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::app {
namespace {

struct Finding {
  std::string what;
  bool ok = false;
  std::string detail;     // what is there, or how to get it
  bool optional = false;  // only some commands need it
};

template <class Run>
Finding find_out(const std::string& what, const Run& run) {
  try {
    return {what, true, run()};
  } catch (const std::exception& e) {
    return {what, false, e.what()};
  }
}

std::vector<Finding> examine(const Context& context) {
  namespace fs = std::filesystem;
  std::vector<Finding> out;
  out.push_back(find_out("home", [&] {
    fs::create_directories(context.home());
    if (is_open_to_others(context.home())) {
      throw Exception(Code::permission_denied, context.home().string() +
                                                   ": other users of this machine may enter it; chmod 700, or choose "
                                                   "another folder if it is not reeltag's alone");
    }
    const auto free = fs::space(context.home()).available / 1'000'000'000;
    return context.home().string() + ", " + std::to_string(free) + " GB free, closed to other users";
  }));
  out.push_back(find_out("store", [&] { return context.open_store()->url(); }));
  out.push_back(
      find_out("catalog", [&] { return std::to_string(context.open_catalog()->videos.count({})) + " videos"; }));
  out.push_back(find_out("recipes", [] {
    const auto names = model::shipped_recipes();
    if (names.empty())
      throw Exception(Code::not_found, "none in " + model::recipes_folder().string() + "; set REELTAG_CONFIGS");
    return std::to_string(names.size()) + " in " + model::recipes_folder().string();
  }));
  out.push_back(find_out("starter model", [&] { return find_model(context.home(), "starter").string(); }));
  out.push_back(find_out("isolation of videos from outside", [&] {
    value_or_throw(media::check_isolation(context.config().media));
    return std::string("works: media.isolate is ") + context.config().media.isolate;
  }));
  for (auto& need : collect::needs(context.config().collect, context.home())) {
    out.push_back({.what = need.what, .ok = need.met, .detail = need.detail, .optional = true});
  }
  out.push_back(find_out("processors", [] { return std::to_string(std::thread::hardware_concurrency()); }));
  return out;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("doctor", "Show what is installed, what is missing, and how to get it");
  cmd->callback([&context] {
    context.start();
    for (const auto& f : examine(context)) {
      if (!f.ok && !f.optional) context.status = 1;
      if (context.json) {
        nlohmann::ordered_json line{{"check", f.what}, {"ok", f.ok}, {"detail", f.detail}};
        if (f.optional) line["optional"] = true;
        print(line.dump());
      } else {
        print(std::string(f.ok ? "ok       " : f.optional ? "optional " : "missing  ") + f.what + ": " + f.detail);
      }
    }
  });
}

}  // namespace reeltag::app
