// index add, build and stats: their options, and what needs no model. The rest is in torch/.
#include "commands.hpp"

#include <nlohmann/json.hpp>

#include "commands/indexing.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTagBatch = 1000;  // lines of one transaction

// Lines of a file, written in batches.
class TagFile {
 public:
  TagFile(Context& context, catalog::Catalog& catalog, index::Index& index)
      : context_(context), catalog_(catalog), index_(index) {}

  void read(const fs::path& file) {
    const auto ok = each_json_line(file, [&](std::int64_t number, Result<nlohmann::json>&& line) {
      stop::throw_if_requested();
      const auto place = file.string() + ":" + std::to_string(number);
      auto parsed = line ? index::tag_line(*line, place) : Result<index::TagLine>(fail(line.error()));
      if (parsed) return take(std::move(*parsed));
      ++counts_.failed;
      context_.item_failed(place, parsed.error());
    });
    if (!ok) throw Exception(ok.error());
    write();
  }

  [[nodiscard]] const IndexReport& counts() const { return counts_; }

 private:
  void take(index::TagLine&& line) {
    auto listed = list_video(catalog_, line.prediction.video);
    if (listed.forgotten) return refuse_forgotten(context_, line.prediction.video, counts_);
    line.prediction.video = listed.video;
    if (line.texts) {
      line.texts->video = listed.video;
      texts_.push_back(std::move(*line.texts));
    } else if (listed.texts) {
      texts_.push_back(std::move(*listed.texts));
    }
    predictions_.push_back(std::move(line.prediction));
    if (predictions_.size() >= kTagBatch) write();
  }

  void write() {
    index_.put_texts(texts_);
    index_.put_predictions(predictions_);
    counts_.indexed += static_cast<std::int64_t>(predictions_.size());
    texts_.clear();
    predictions_.clear();
    progress_.update(counts_.indexed);
  }

  Context& context_;
  catalog::Catalog& catalog_;
  index::Index& index_;
  std::vector<index::Texts> texts_;
  std::vector<index::Prediction> predictions_;
  IndexReport counts_;
  Progress progress_{"index", 0};
};

void add_tags(Context& context, const fs::path& file) {
  context.start();
  const auto catalog = context.open_catalog();
  const auto index = context.open_index(index::Missing::create);
  IndexReport counts;
  {
    TagFile tags(context, *catalog, *index);
    tags.read(file);
    counts = tags.counts();
  }
  print_indexed(context, counts, *index);
}

void build_texts(Context& context) {
  context.start();
  const auto catalog = context.open_catalog();
  const auto index = context.open_index(index::Missing::create);
  print_indexed(context, {.indexed = put_catalog_texts(*catalog, *index)}, *index);
}

// The options that say how to tag; returned for those who exclude them.
std::vector<CLI::Option*> add_tagging(CLI::App& cmd, IndexArguments& a) {
  auto* model = cmd.add_option("--model", a.model, kModelMeaning);
  auto* threshold =
      cmd.add_option("--threshold", a.threshold, "Instead of the model's own thresholds; 0 keeps all tags")
          ->check(CLI::Range(0.0, 1.0));
  return {model, threshold};
}

void add_add(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("add", "Tag videos and add them; the catalog and the store stay as they are");
  auto a = std::make_shared<IndexArguments>();
  auto tags = std::make_shared<fs::path>();
  auto* files = cmd->add_option("files", a->files, "Videos, folders of videos or http(s) URLs");
  auto* from_file =
      cmd->add_option("--tags", *tags, "Instead: a file of what `reeltag tag --json` wrote; needs no model");
  from_file->excludes(files);
  for (auto* option : add_tagging(*cmd, *a)) from_file->excludes(option);
  cmd->callback([a, tags, &context] {
    if (!tags->empty()) return add_tags(context, *tags);
    if (a->files.empty()) {
      throw Exception(Code::invalid_argument, "index add: name files or folders to tag, or a file with --tags");
    }
    run_index_add(context, *a);
  });
}

void add_build(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("build", "Index the catalog: tag the videos that the model has not tagged yet");
  auto a = std::make_shared<IndexArguments>();
  auto texts_only = std::make_shared<bool>(false);
  auto* flag = cmd->add_flag("--texts-only", *texts_only, "Captions and typed hashtags only; needs no model");
  for (auto* option : add_tagging(*cmd, *a)) flag->excludes(option);
  cmd->callback([a, texts_only, &context] { *texts_only ? build_texts(context) : run_index_build(context, *a); });
}

void print_index_stats(const index::Stats& stats) {
  print(std::to_string(stats.videos) + " videos: " + std::to_string(stats.captioned) + " with a caption, " +
        std::to_string(stats.typed) + " with typed hashtags, " + std::to_string(stats.predicted) +
        " with predicted ones (" + std::to_string(stats.hashtags) + " different)");
  for (const auto& [model, videos] : stats.models) {
    print("  " + model.name + (model.version.empty() ? "" : " " + model.version) + " looked at " +
          std::to_string(videos));
  }
}

void add_index_stats(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("stats", "Count the indexed videos and the models that tagged them");
  cmd->callback([&context] {
    context.start();
    const auto stats = context.open_index(index::Missing::refuse)->stats();
    if (context.json) return print(index::to_json(stats));
    print_index_stats(stats);
  });
}

}  // namespace

void add_index(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("index", "The search index: add videos, build it from the catalog");
  cmd->fallthrough();
  cmd->require_subcommand(1);
  add_add(*cmd, context);
  add_build(*cmd, context);
  add_index_stats(*cmd, context);
}

}  // namespace reeltag::app
