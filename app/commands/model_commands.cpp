// tag, train and evaluate: their options. What they do is in torch/.
#include "commands.hpp"

namespace reeltag::app {

void add_tag(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("tag", "Tag videos with hashtags and the segments where they apply");
  auto a = std::make_shared<TagArguments>();
  cmd->add_option("files", a->files, "Videos, folders of videos, http(s) URLs, or - for a video on standard input")
      ->required();
  cmd->add_option("--model", a->model, kModelMeaning);
  cmd->add_option("--top", a->top, "Maximum of hashtags per video");
  cmd->add_option("--views", a->views, "Maximum of views per video");
  cmd->add_option("--threshold", a->threshold, "Instead of the model's own thresholds; 0 shows all")
      ->check(CLI::Range(0.0, 1.0));
  cmd->add_flag("--whole-picture", a->whole_picture, "Use all of a tall or wide picture instead of its central square");
  cmd->callback([a, &context] { run_tag(context, *a); });
}

void add_train(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("train", "Learn hashtags from a frozen dataset");
  auto a = std::make_shared<TrainArguments>();
  auto* dataset =
      cmd->add_option("--dataset", a->dataset, "The dataset, or the beginning of its id (default: the newest)");
  auto* recipe = cmd->add_option("--recipe", a->recipe, "A shipped recipe or a YAML file")->capture_default_str();
  auto* keys = cmd->add_option("--key", a->keys, "One recipe value, e.g. SOLVER.MAX_EPOCH=10; may be repeated");
  keys->allow_extra_args(false);
  auto* run = cmd->add_option("--run", a->run, "Name of the run (default: made from the time)");
  auto* from = cmd->add_option("--from", a->start_from,
                               "Fine-tune: start with this model's weights; with --frozen: its embedding is a block");
  auto* frozen = cmd->add_flag("--frozen", a->frozen, "Fit a linear head on frozen features, in seconds");
  cmd->add_option("--blocks", a->blocks,
                  "Features of the head: mvit, image.mean, image.delta (default: both of "
                  "the image encoder's, and mvit with --from)")
      ->delimiter(',')
      ->needs(frozen);
  // A resumed run has its data, net and recipe; to change them is to begin another one.
  cmd->add_option("--resume", a->resume,
                  "Resume this run, with its dataset, recipe and settings; --set train.* and --key of the epochs "
                  "(SOLVER.MAX_EPOCH, SOLVER.COSINE_END_LR, TRAIN.EVAL_PERIOD) change it")
      ->excludes(dataset)
      ->excludes(recipe)
      ->excludes(run)
      ->excludes(from);
  cmd->callback([a, &context] { run_train(context, *a); });
}

void add_evaluate(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("evaluate", "Measure a model on a split: metrics.json and report.html");
  auto a = std::make_shared<EvaluateArguments>();
  cmd->add_option("--run", a->run, "A run in the home (default: the newest)");
  cmd->add_option("--model", a->model,
                  "Or a model: a version or its alias, an imported or shipped one, a bundle's folder");
  cmd->add_option("--dataset", a->dataset, "The dataset (default: the one that the run was trained on)");
  cmd->add_option("--split", a->split, "Split to use")
      ->check(CLI::IsMember({"train", "val", "test"}))
      ->capture_default_str();
  cmd->add_option("--view-seconds", a->view_seconds, "Longest view in seconds; 0: one view of the whole video")
      ->capture_default_str();
  cmd->add_option("--out", a->out, "Folder of the results (default: the run's)");
  cmd->add_option("--scores", a->scores, "Also write every video's scores to this file, as JSON Lines");
  cmd->add_flag("!--no-time-check", a->time_check, "Leave out the figures with frames repeated, shuffled and reversed");
  cmd->callback([a, &context] { run_evaluate(context, *a); });
}

}  // namespace reeltag::app
