// catalog export and import: a catalog as files, and from them.
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/catalog/exchange.hpp"
#include "reeltag/catalog/service.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

struct CatalogArguments {
  fs::path path;
  bool secrets = false;
};

constexpr const char* kSecrets =
    "Also the salts of authors' names and of what was forgotten, and the tombstones: who has them and a name can tell "
    "whether it is in the catalog";

// The salt of authors' names is a file of the home, and goes beside the exported catalog.
fs::path salt_beside(fs::path path) {
  if (!path.has_filename()) path = path.parent_path();
  return path += ".author.salt";
}

// A new file that was never readable by others.
void copy_salt(const fs::path& from, const fs::path& to) {
  const auto target = fs::absolute(to);
  const TemporaryFolder private_folder(".tmp-salt", target.parent_path());
  const auto made = private_folder.path() / "salt";
  write_file(made, value_or_throw(read_file(from, 4096)));
  fs::permissions(made, fs::perms{0600});
  rename_durably(made, target);
}

catalog::ExchangeOptions options_of(const CatalogArguments& arguments, std::optional<Progress>& progress,
                                    const char* name) {
  return {.secrets = arguments.secrets, .stop = stop::token(), .progress = [&progress, name](std::int64_t rows) {
            if (!progress) progress.emplace(name, 0);
            progress->update(rows);
          }};
}

nlohmann::ordered_json counts_json(const catalog::Counts& c) {
  return {{"videos", c.videos},
          {"looks", c.fingerprints},
          {"posts", c.posts},
          {"notes", c.notes},
          {"tombstones", c.tombstones}};
}

std::string counts_line(const catalog::Counts& c) {
  return std::to_string(c.videos) + " videos, " + std::to_string(c.fingerprints) + " fingerprints, " +
         std::to_string(c.posts) + " posts, " + std::to_string(c.notes) + " notes, " + std::to_string(c.tombstones) +
         " tombstones";
}

void export_catalog(Context& context, const CatalogArguments& arguments) {
  const auto salt = context.home() / "author.salt", beside = salt_beside(arguments.path);
  const bool with_salt = arguments.secrets && fs::exists(salt);
  if (with_salt && fs::exists(beside)) {
    throw Exception(Code::already_exists, "'" + beside.string() + "' is there already; name another place");
  }
  std::optional<Progress> progress;
  const auto report =
      catalog::export_to(*context.open_catalog(), arguments.path, options_of(arguments, progress, "export"));
  progress.reset();
  if (with_salt) copy_salt(salt, beside);
  const auto connection = catalog::connect(context.catalog_location());
  const auto owners = catalog::Ownership(connection).count(), feedback = catalog::FeedbackLog(connection).count();
  if (context.json) {
    return print(nlohmann::ordered_json{{"exported", counts_json(report.rows)},
                                        {"tombstones_left_out", report.tombstones_left_out},
                                        {"left_out", {{"holdings", owners}, {"feedback", feedback}}}}
                     .dump());
  }
  print("exported " + counts_line(report.rows));
  if (report.tombstones_left_out > 0) {
    print("left out " + std::to_string(report.tombstones_left_out) +
          " tombstones: where this is imported, what was forgotten can come back; --secrets takes them along");
  }
  if (owners + feedback > 0) {
    print("left out who uploaded what (" + std::to_string(owners) + ") and what was said of hashtags (" +
          std::to_string(feedback) + "): they are `serve`'s and stay in this database");
  }
}

// Two homes that hash authors differently must not become one by accident.
bool salt_is_new(const fs::path& ours, const fs::path& theirs) {
  if (!fs::exists(theirs)) return false;
  if (!fs::exists(ours)) return true;
  if (value_or_throw(read_file(ours, 4096)) == value_or_throw(read_file(theirs, 4096))) return false;
  throw Exception(Code::already_exists,
                  "'" + ours.string() + "' differs from '" + theirs.string() +
                      "': authors would have two names each. Import without --secrets, or into a new home");
}

void import_catalog(Context& context, const CatalogArguments& arguments) {
  const auto salt = context.home() / "author.salt", beside = salt_beside(arguments.path);
  const bool take_salt = arguments.secrets && salt_is_new(salt, beside);
  std::optional<Progress> progress;
  const auto report =
      catalog::import_from(*context.open_catalog(), arguments.path, options_of(arguments, progress, "import"));
  progress.reset();
  if (take_salt) copy_salt(beside, salt);
  for (const auto& [row, error] : report.rejected) context.item_failed(row, error, "row");
  if (context.json) {
    return print(nlohmann::ordered_json{{"read", counts_json(report.rows)},
                                        {"stored", counts_json(report.stored)},
                                        {"rejected", report.rejected.size()}}
                     .dump());
  }
  print("read     " + counts_line(report.rows));
  print("stored   " + counts_line(report.stored) + "; the rest was there or is forgotten");
}

template <class Run>
void add_one(CLI::App& parent, Context& context, const char* name, const char* what, const char* path, const Run& run) {
  auto* cmd = parent.add_subcommand(name, what);
  auto arguments = std::make_shared<CatalogArguments>();
  cmd->add_option("path", arguments->path, path)->required();
  cmd->add_flag("--secrets", arguments->secrets, kSecrets);
  cmd->callback([arguments, run, &context] {
    context.start();
    run(context, *arguments);
  });
}

}  // namespace

void add_catalog(CLI::App& app, Context& context) {
  auto* cmd =
      app.add_subcommand("catalog", "Export and import the catalog as files, between databases or for other programs");
  cmd->fallthrough();
  cmd->require_subcommand(1);
  add_one(*cmd, context, "export",
          "Write all that is known about the videos; what `serve` keeps for its visitors stays",
          "A new file NAME.jsonl (JSON Lines), or else a new folder (Parquet)", export_catalog);
  add_one(*cmd, context, "import", "Store what was exported; what is there stays as it is, and it can be run again",
          "A file NAME.jsonl, or a folder, that export wrote", import_catalog);
}

}  // namespace reeltag::app
