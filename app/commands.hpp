// One add_ function a command: it declares the options and what runs. Commands that need a model are declared here for
// both programs; `reeltag` hands them over to `reeltag-torch` (docs/adr/0003), where run_ functions do the work.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "context.hpp"

namespace reeltag::app {

// What --model takes where a model tags.
inline constexpr const char* kModelMeaning =
    "A version (hashtags/3) or its alias (champion), a fetched, imported or shipped model, a run's id or a bundle's "
    "folder (default: the champion where there is one, else starter)";

void add_import(CLI::App& app, Context& context);
void add_collect(CLI::App& app, Context& context);
void add_dataset(CLI::App& app, Context& context);
void add_train(CLI::App& app, Context& context);
void add_evaluate(CLI::App& app, Context& context);
void add_checkpoints(CLI::App& models, Context& context);
void add_models(CLI::App& app, Context& context);
void add_choose(CLI::App& models, Context& context);  // and its child, measure
void add_versions(CLI::App& models, Context& context);
void add_tag(CLI::App& app, Context& context);
void add_catalog(CLI::App& app, Context& context);
void add_index(CLI::App& app, Context& context);
void add_search(CLI::App& app, Context& context);
void add_store(CLI::App& app, Context& context);
void add_forget(CLI::App& app, Context& context);
void add_serve(CLI::App& app, Context& context);
void add_tokens(CLI::App& app, Context& context);
void add_sagemaker(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);

struct TrainArguments {
  std::string dataset, recipe = "MVITv2_XXS_8", run, resume, start_from;
  std::vector<std::string> keys;  // recipe keys, "SOLVER.MAX_EPOCH=30"
  bool frozen = false;
  std::vector<std::string> blocks;  // of features, with frozen
};
void run_train(Context& context, const TrainArguments& arguments);

struct EvaluateArguments {
  std::string run, model, dataset, split = "test";
  std::filesystem::path out, scores;
  double view_seconds = 0.0;
  bool time_check = true;
};
void run_evaluate(Context& context, const EvaluateArguments& arguments);

struct TagArguments {
  std::vector<std::string> files;
  std::string model;  // empty: the champion, else the starter
  std::optional<int> top, views;
  std::optional<double> threshold;
  bool whole_picture = false;
};
void run_tag(Context& context, const TagArguments& arguments);

struct ServeArguments {
  std::string host, model;  // model empty: the champion, else the starter
  std::optional<int> port;
};
void run_serve(Context& context, const ServeArguments& arguments);

struct IndexArguments {
  std::vector<std::string> files;  // for add
  std::string model;               // empty: the champion, else the starter
  std::optional<double> threshold;
};
void run_index_add(Context& context, const IndexArguments& arguments);
void run_index_build(Context& context, const IndexArguments& arguments);

struct VerifyArguments {
  std::vector<std::filesystem::path> goldens;
  std::string recipe;
};
void run_verify(Context& context, const VerifyArguments& arguments);

struct ChooseArguments {
  std::optional<double> ms_per_video, memory_gb;
  int views = 5;
  std::string dataset;
  std::vector<std::string> nets;
  bool all = false, fresh = false;
  std::filesystem::path out;
};
void run_choose(Context& context, const ChooseArguments& arguments);

struct ImportCheckpointArguments {
  std::filesystem::path file, vocabulary, out;
  std::string recipe, name;
  std::vector<std::string> clear_names;
  bool image_init = false, inflate = false, strict = false;
};
void run_import_checkpoint(Context& context, const ImportCheckpointArguments& arguments);

struct FetchArguments {
  std::string name, url, sha256;
  std::filesystem::path zoo, vocabulary;  // zoo: empty for the shipped one
  bool list = false;
};
void run_fetch(Context& context, const FetchArguments& arguments);

struct ExportArguments {
  std::string model;
  std::filesystem::path out;
  bool split_qkv = false, fuse_qkv = false;
};
void run_export(Context& context, const ExportArguments& arguments);

struct CheckArguments {
  std::string model;
};
void run_check(Context& context, const CheckArguments& arguments);

struct MeasureArguments {
  std::string net;
  int threads = 1;
};
void run_measure(Context& context, const MeasureArguments& arguments);

struct SagemakerArguments {
  std::filesystem::path opt_ml;   // empty: SAGEMAKER_BASE_DIR, else /opt/ml
  std::filesystem::path capture;  // of serve; empty: nothing is captured
};
void run_sagemaker_serve(Context& context, const SagemakerArguments& arguments);
void run_sagemaker_train(Context& context, const SagemakerArguments& arguments);

}  // namespace reeltag::app
