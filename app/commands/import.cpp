#include "commands.hpp"
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
  cmd->add_option("--source", *source, "The catalog's name for where they come from")->capture_default_str();
  cmd->callback([paths, source, &context] {
    context.start();
    const auto catalog = context.open_catalog();
    const auto store = context.open_store();
    collect::ImportOptions options{.source = *source,
                                   .salt_file = context.home() / "author.salt",
                                   .remote = context.store_options({}),
                                   .stop = stop::token()};
    std::optional<Progress> progress;
    const auto report = collect::import_paths(*paths, options, *catalog, *store, context.config().media,
                                              [&](std::int64_t done, std::int64_t total) {
                                                if (!progress) progress.emplace("import", total);
                                                progress->update(done);
                                              });
    progress.reset();
    for (const auto& r : report.rejected) context.item_failed(r.path, r.reason);
    if (context.json) return print(collect::to_json(report));
    const auto metadata_only = " (" + std::to_string(report.metadata_only) + " of them without a video)";
    print("added " + std::to_string(report.added) + (report.metadata_only > 0 ? metadata_only : "") +
          ", already there " + std::to_string(report.duplicate) + ", rejected " +
          std::to_string(report.rejected.size()));
  });
}

}  // namespace reeltag::app
