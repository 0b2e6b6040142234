// store gc: removes what nothing refers to any more: blobs, writes that nobody ended, copies that nobody reads.
#include <chrono>
#include <ctime>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "commands/blobs.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"

namespace reeltag::app {
namespace {

struct GcArguments {
  double older_than = 24.0;  // hours
  bool dry_run = false, everything = false;
};

class Clearing {
 public:
  Clearing(Context& context, const GcArguments& arguments)
      : context_(context),
        arguments_(arguments),
        oldest_(std::time(nullptr) - static_cast<std::int64_t>(arguments.older_than * 3600)),
        store_(context.open_store()) {}

  void run() {
    // Blobs before rows: what gets its row in between is needed by then.
    const auto blobs = store_->list("");
    const auto needs = references_of(context_);
    std::size_t videos = 0, going = 0;
    for (const auto& blob : blobs) {
      const bool is_video = !promised_digest(blob.key).empty();
      videos += is_video ? 1 : 0;
      if (needs.use_of(blob.key) != Use::none) continue;
      going += is_video ? 1 : 0;
      (blob.modified > oldest_ ? young_ : unneeded_).push_back(blob);
    }
    check_share(videos, going);
    remove_blobs();
    for (const auto& one : store_->unfinished()) {
      if (one.begun > oldest_) continue;
      if (arguments_.dry_run || store_->discard(one)) unfinished_.push_back(one);
    }
    copies_ = store_->drop_copies(std::chrono::seconds(static_cast<std::int64_t>(arguments_.older_than * 3600)),
                                  arguments_.dry_run);
  }

  void report() const {
    if (context_.json) {
      auto removed = nlohmann::json::array(), unfinished = nlohmann::json::array();
      for (const auto& blob : removed_) removed.push_back({{"key", blob.key}, {"size", blob.size_bytes}});
      for (const auto& one : unfinished_) unfinished.push_back({{"name", one.name}, {"begun", one.begun}});
      return print(dump_json({{"store", store_->url()},
                              {"dry_run", arguments_.dry_run},
                              {"removed", std::move(removed)},
                              {"bytes", bytes_},
                              {"young", young_.size()},
                              {"unfinished", std::move(unfinished)},
                              {"copies", {{"files", copies_.files}, {"bytes", copies_.bytes}}}}));
    }
    const std::string verb = arguments_.dry_run ? "would remove " : "removed ";
    for (const auto& blob : removed_) print(verb + blob.key);
    for (const auto& one : unfinished_) print(verb + "the unfinished " + one.name);
    print(verb + std::to_string(removed_.size()) + " blobs (" + std::to_string(bytes_) + " bytes), " +
          std::to_string(unfinished_.size()) + " unfinished writes, " + std::to_string(copies_.files) + " copies (" +
          std::to_string(copies_.bytes) + " bytes); " + std::to_string(young_.size()) +
          " unneeded blobs are too young");
  }

 private:
  // The catalog of another home looks so, and it would cost all that is there.
  void check_share(std::size_t videos, std::size_t going) const {
    if (arguments_.everything || arguments_.dry_run || going * 2 <= videos) return;
    throw Exception(Code::invalid_config,
                    "store gc: nothing here refers to " + std::to_string(going) + " of the " + std::to_string(videos) +
                        " videos in " + store_->url() + ". Is " + context_.home().string() +
                        " the home whose store this is? Look with --dry-run; --everything removes them");
  }

  void remove_blobs() {
    Progress progress("gc", static_cast<std::int64_t>(unneeded_.size()));
    const auto catalog = context_.open_catalog();
    for (const auto& blob : unneeded_) {
      stop::throw_if_requested();
      if (arguments_.dry_run || remove(blob, *catalog)) {
        removed_.push_back(blob);
        bytes_ += blob.size_bytes;
      }
      progress.advance();
    }
  }

  // Looks again: an import may have found the blob there a moment ago. It writes old ones anew before it adds their
  // row.
  bool remove(const store::Blob& blob, catalog::Catalog& catalog) {
    const auto digest = promised_digest(blob.key);
    if (!digest.empty() && catalog.get(digest)) return false;
    const auto now = store_->stat(blob.key);
    return now && now->modified == blob.modified && store_->remove(blob.key);
  }

  Context& context_;
  GcArguments arguments_;
  std::int64_t oldest_;
  std::unique_ptr<store::Store> store_;
  std::vector<store::Blob> unneeded_, young_, removed_;
  std::vector<store::UnfinishedUpload> unfinished_;
  store::Copies copies_;
  std::int64_t bytes_ = 0;
};

}  // namespace

void add_store_gc(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("gc", "Remove what no video, dataset or run of this home refers to any more");
  auto arguments = std::make_shared<GcArguments>();
  cmd->add_flag("--dry-run", arguments->dry_run, "Only show what would go");
  cmd->add_option("--older-than", arguments->older_than,
                  "Hours since it was written; less than a collection lasts may break that collection")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  cmd->add_flag("--everything", arguments->everything, "Go on when more than half of the videos would go");
  cmd->callback([arguments, &context] {
    context.start();
    Clearing clearing(context, *arguments);
    clearing.run();
    clearing.report();
  });
}

}  // namespace reeltag::app
