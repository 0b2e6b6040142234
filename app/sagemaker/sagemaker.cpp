// sagemaker serve and train: what a SageMaker container starts (docs/sagemaker.md).
#include "sagemaker/sagemaker.hpp"

#include <cstdlib>
#include <thread>
#include <vector>

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

serve::sagemaker::Container container_of(const SagemakerArguments& arguments) {
  auto container =
      serve::sagemaker::container_from(variable, static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  if (!arguments.opt_ml.empty()) container.base = arguments.opt_ml;
  container.options.scratch = fs::temp_directory_path();
  container.options.capture = arguments.capture;
  return container;
}

void settle(Context& context) {
  if (context.home_option.empty() && !variable("REELTAG_HOME"))
    context.home_option = fs::temp_directory_path() / "reeltag-sagemaker";
  // Python's numbers of levels: 10 debug, 20 info, 30 warning, 40 error.
  const auto level = variable("SAGEMAKER_CONTAINER_LOG_LEVEL").value_or("20");
  context.verbose |= level == "10" || level == "debug";
  context.quiet |= level == "40" || level == "50" || level == "error" || level == "critical";
}

fs::path bundle_in(const fs::path& model) {
  if (fs::exists(model / "bundle.json")) return model;
  std::vector<fs::path> inside;
  if (fs::is_directory(model)) {
    for (const auto& entry : fs::directory_iterator(model)) {
      if (fs::exists(entry.path() / "bundle.json")) inside.push_back(entry.path());
    }
  }
  if (inside.size() == 1) return inside.front();
  throw Exception(Code::not_found, model.string() +
                                       (inside.empty() ? " holds no model" : " holds more than one model") +
                                       ": the archive must be of a folder that `reeltag models export` wrote");
}

void add_sagemaker(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("sagemaker", "What a SageMaker container starts; also reached as reeltag-sagemaker");
  cmd->fallthrough();
  cmd->require_subcommand(1);
  auto a = std::make_shared<SagemakerArguments>();
  const auto add = [&](const char* name, const char* meaning, void (*run)(Context&, const SagemakerArguments&)) {
    auto* sub = cmd->add_subcommand(name, meaning);
    sub->fallthrough();
    sub->add_option("--opt-ml", a->opt_ml, "Instead of /opt/ml, the platform's folder");
    sub->callback([a, run, &context] { run(context, *a); });
    return sub;
  };
  add("serve", "Answer /ping and /invocations with the model below /opt/ml/model", run_sagemaker_serve)
      ->add_option("--capture", a->capture,
                   "Folder for records of requests and answers, as the platform's data capture writes them");
  add("train", "Train from the channels below /opt/ml/input to /opt/ml/model", run_sagemaker_train);
}

}  // namespace reeltag::app
