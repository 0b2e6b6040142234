// store verify|migrate|gc.
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/retention.hpp"

namespace reeltag::app {
namespace {

using nlohmann::json;

json blobs_json(const std::vector<store::Blob>& blobs) {
  auto out = json::array();
  for (const auto& blob : blobs) out.push_back({{"key", blob.key}, {"size", blob.size_bytes}});
  return out;
}

json unfinished_json(const std::vector<store::UnfinishedUpload>& unfinished) {
  auto out = json::array();
  for (const auto& one : unfinished) out.push_back({{"name", one.name}, {"begun", one.begun}});
  return out;
}

void print_garbage(const Context& context, const store::Store& store, const retention::GcReport& r, bool dry_run) {
  if (context.json) {
    return print(dump_json({{"store", store.url()},
                            {"dry_run", dry_run},
                            {"removed", blobs_json(r.removed)},
                            {"bytes", r.bytes},
                            {"young", r.young},
                            {"unfinished", unfinished_json(r.unfinished)},
                            {"copies", {{"files", r.copies.files}, {"bytes", r.copies.bytes}}}}));
  }
  const std::string verb = dry_run ? "would remove " : "removed ";
  for (const auto& blob : r.removed) print(verb + blob.key);
  for (const auto& one : r.unfinished) print(verb + "the unfinished " + one.name);
  print(verb + std::to_string(r.removed.size()) + " blobs (" + std::to_string(r.bytes) + " bytes), " +
        std::to_string(r.unfinished.size()) + " unfinished writes, " + std::to_string(r.copies.files) + " copies (" +
        std::to_string(r.copies.bytes) + " bytes); " + std::to_string(r.young) + " unneeded blobs are too young");
}

void print_verification(Context& context, const store::Store& store, const retention::VerifyReport& r, bool deep) {
  for (const auto& one : r.bad) context.item_failed(one.video, one.error);
  if (context.json) {
    auto wrong = json::array();
    for (const auto& one : r.bad) wrong.push_back({{"video", one.video}, {"key", one.key}, {"what", one.what}});
    return print(dump_json({{"store", store.url()},
                            {"videos", r.videos},
                            {"deep", deep},
                            {"wrong", std::move(wrong)},
                            {"orphans", blobs_json(r.orphans)},
                            {"foreign", blobs_json(r.foreign)},
                            {"unfinished", unfinished_json(r.unfinished)}}));
  }
  for (const auto& blob : r.orphans) print("orphan    " + blob.key + "  " + std::to_string(blob.size_bytes) + " bytes");
  for (const auto& blob : r.foreign) print("foreign   " + blob.key + "  " + std::to_string(blob.size_bytes) + " bytes");
  for (const auto& one : r.unfinished) print("unfinished " + one.name);
  print(std::to_string(r.videos) + " videos, " + std::to_string(r.bad.size()) + " wrong" +
        (deep ? "" : " (sizes only; --deep reads every byte)") + "; " + std::to_string(r.orphans.size()) +
        " blobs that nothing refers to, " + std::to_string(r.unfinished.size()) + " unfinished writes" +
        (r.orphans.empty() && r.unfinished.empty() ? "" : " (store gc clears up)"));
}

void print_migration(Context& context, const std::string& from, const std::string& to,
                     const retention::MigrateReport& r) {
  for (const auto& [key, error] : r.failed) context.item_failed(key, error, "blob");
  const auto failed = static_cast<std::int64_t>(r.failed.size());
  if (context.json) {
    return print(dump_json({{"from", from},
                            {"to", to},
                            {"blobs", r.blobs},
                            {"copied", r.copied},
                            {"there", r.already_there},
                            {"bytes", r.bytes},
                            {"failed", failed}}));
  }
  print("copied " + std::to_string(r.copied) + " blobs (" + std::to_string(r.bytes) + " bytes), already there " +
        std::to_string(r.already_there) + ", failed " + std::to_string(failed));
  if (failed == 0) print("to use it from now on: store: {url: \"" + to + "\"} in config.yaml");
}

void add_store_gc(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("gc", "Remove blobs that no video, dataset or run of this home refers to");
  auto options = std::make_shared<retention::GcOptions>();
  cmd->add_flag("--dry-run", options->dry_run, "Only show what would be removed");
  cmd->add_option("--older-than", options->older_than,
                  "Hours since it was written; less than a collection lasts may break that collection")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  cmd->add_flag("--everything", options->everything, "Continue even if more than half of the videos would be removed");
  cmd->callback([options, &context] {
    context.start();
    const auto store = context.open_store();
    print_garbage(context, *store, retention::collect_garbage(context.retained_home(), *store, *options),
                  options->dry_run);
  });
}

void add_store_verify(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("verify", "Check that every video has its bytes, and list what else the store has");
  auto deep = std::make_shared<bool>(false);
  cmd->add_flag("--deep", *deep, "Read every byte and compare the SHA-256");
  cmd->callback([deep, &context] {
    context.start();
    const auto store = context.open_store();
    print_verification(context, *store, retention::verify_store(context.retained_home(), *store, *deep), *deep);
  });
}

void add_store_migrate(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("migrate", "Copy all blobs to another store, checked; run again to go on");
  auto to = std::make_shared<std::string>();
  auto deep = std::make_shared<bool>(false);
  cmd->add_option("--to", *to, "The other store: a folder or s3://bucket/prefix")->required();
  cmd->add_flag("--deep", *deep, "Also compare the bytes of what is there already, not only its size");
  cmd->callback([to, deep, &context] {
    context.start();
    const auto source = context.open_store(), target = context.open_store(*to);
    print_migration(context, source->url(), target->url(), retention::migrate_store(*source, *target, *deep));
  });
}

}  // namespace

void add_store(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("store", "The store of the videos: verify, migrate, collect garbage");
  cmd->fallthrough();
  cmd->require_subcommand(1);
  add_store_verify(*cmd, context);
  add_store_migrate(*cmd, context);
  add_store_gc(*cmd, context);
}

}  // namespace reeltag::app
