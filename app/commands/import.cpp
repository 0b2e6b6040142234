#include <map>

#include "commands.hpp"
#include "commands/videos.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/collect.hpp"

namespace reeltag::app {

void add_import(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("import", "Import videos: label folders, manifests (JSONL, CSV), single files");
  auto paths = std::make_shared<std::vector<std::filesystem::path>>();
  cmd->add_option("paths", *paths, "Folders, manifests or videos; s3://bucket/prefix for those in an object store")
      ->required();
  auto source = std::make_shared<std::string>(collect::ImportOptions{}.source);
  cmd->add_option("--source", *source,
                  "The catalog's name for where they come from, but for videos of a given split (train, val, test)")
      ->capture_default_str();
  static const std::map<std::string, collect::LabelsFrom> words{{"auto", collect::LabelsFrom::automatic},
                                                                {"top", collect::LabelsFrom::top},
                                                                {"parent", collect::LabelsFrom::parent},
                                                                {"none", collect::LabelsFrom::none}};
  auto labels_from = std::make_shared<collect::LabelsFrom>(collect::LabelsFrom::automatic);
  cmd->add_option("--labels-from", *labels_from,
                  "Which folder's name is a video's hashtag: top (below the named folder), parent (the video's own), "
                  "none, or auto: top, and folders train, val and test are sources (default auto)")
      ->transform(CLI::CheckedTransformer(words, CLI::ignore_case))
      ->option_text("auto|top|parent|none");
  auto allowed = std::make_shared<std::vector<std::filesystem::path>>();
  cmd->add_option("--allow-paths", *allowed,
                  "Folder outside of a manifest's own that its paths may name; may be repeated")
      ->allow_extra_args(false);
  cmd->callback([paths, source, labels_from, allowed, &context] {
    context.start();
    const auto catalog = context.open_catalog();
    const auto store = context.open_store();
    collect::ImportOptions options{.source = *source,
                                   .salt_file = context.home() / "author.salt",
                                   .labels_from = *labels_from,
                                   .allowed = *allowed,
                                   .remote = context.store_options({}),
                                   .stop = stop::token()};
    std::optional<Progress> progress;
    const auto report = collect::import_paths(*paths, options, *catalog, *store, context.config().media,
                                              [&](std::int64_t done, std::int64_t total) {
                                                if (!progress) progress.emplace("import", total);
                                                progress->update(done);
                                              });
    progress.reset();
    for (const auto& note : report.notes) log::info("import_understood", {{"message", note}});
    report_passed_over(report.passed_over);
    for (const auto& r : report.rejected) context.item_failed(r.path, r.reason);
    if (context.json) return print(collect::to_json(report));
    const auto metadata_only = " (" + std::to_string(report.metadata_only) + " of them without a video)";
    print("added " + std::to_string(report.added) + (report.metadata_only > 0 ? metadata_only : "") +
          ", already there " + std::to_string(report.duplicate) + ", rejected " +
          std::to_string(report.rejected.size()));
  });
}

}  // namespace reeltag::app
