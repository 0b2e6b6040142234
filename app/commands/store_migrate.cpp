// store migrate: all blobs to another store, each read back and compared. The source is never changed.
#include <atomic>
#include <fstream>
#include <mutex>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "commands/blobs.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/progress.hpp"

namespace reeltag::app {
namespace {

class Migration {
 public:
  Migration(Context& context, const std::string& to, bool deep)
      : context_(context), deep_(deep), from_(context.open_store()), to_(context.open_store(to)) {
    if (from_->url() == to_->url()) {
      throw Exception(Code::invalid_argument,
                      "store migrate: " + to_->url() + " is the store itself; name another one");
    }
  }

  void run() {
    for (const auto& blob : to_->list("")) there_.emplace(blob.key, blob.size_bytes);
    const auto blobs = from_->list("");
    blobs_ = blobs.size();
    Progress progress("migrate", static_cast<std::int64_t>(blobs.size()));
    for_each_of(blobs.size(), [&](std::size_t i) {
      try {
        move(blobs[i]);
      } catch (const Exception& e) {
        // This blob's fault alone; a store that does not answer ends the run.
        if (e.code() != Code::not_found && e.code() != Code::corrupt && e.code() != Code::invalid_argument) throw;
        const std::lock_guard lock(mutex_);
        ++failed_;
        context_.item_failed(blobs[i].key, e.error(), "blob");
      }
      progress.advance(1, {{"bytes", bytes_.load()}});
    });
  }

  void report() const {
    if (context_.json) {
      return print(dump_json({{"from", from_->url()},
                              {"to", to_->url()},
                              {"blobs", blobs_},
                              {"copied", copied_.load()},
                              {"there", there_already_.load()},
                              {"bytes", bytes_.load()},
                              {"failed", failed_}}));
    }
    print("copied " + std::to_string(copied_) + " blobs (" + std::to_string(bytes_) + " bytes), already there " +
          std::to_string(there_already_) + ", failed " + std::to_string(failed_));
    if (failed_ == 0) print("to use it from now on: store: {url: \"" + to_->url() + "\"} in config.yaml");
  }

 private:
  void move(const store::Blob& blob) {
    const auto found = there_.find(blob.key);
    const bool same_size = found != there_.end() && found->second == blob.size_bytes;
    if (same_size && (!deep_ || digest_of(*to_, blob) == digest_of(*from_, blob))) {
      ++there_already_;
      return;
    }
    const TemporaryFolder folder("reeltag-migrate");
    const auto file = folder.path() / "blob";
    const auto digest = fetch(blob, file);
    const auto promised = promised_digest(blob.key);
    if (!promised.empty() && digest != promised) {
      throw Exception(Code::corrupt, blob.key + " holds other bytes than its name says; it is not copied");
    }
    to_->put_file(blob.key, file);
    if (digest_of(*to_, blob) != digest) {
      throw Exception(Code::corrupt, blob.key + " reads back differently from " + to_->url() + "; run it again");
    }
    ++copied_;
    bytes_ += blob.size_bytes;
  }

  // A copy on this machine, because a blob may change or go while it is sent; its digest.
  std::string fetch(const store::Blob& blob, const std::filesystem::path& file) {
    std::ofstream out(file, std::ios::binary);
    auto digest = digest_of(*from_, blob, [&](std::string_view piece) {
      out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    });
    out.close();
    if (!out) throw Exception(Code::unavailable, "cannot write " + file.string() + ": is the disk full?");
    return digest;
  }

  Context& context_;
  bool deep_;
  std::unique_ptr<store::Store> from_, to_;
  std::unordered_map<std::string, std::int64_t> there_;
  std::size_t blobs_ = 0;
  std::atomic<std::int64_t> copied_{0}, there_already_{0}, bytes_{0};
  std::mutex mutex_;
  std::int64_t failed_ = 0;  // guarded by mutex_ while threads copy
};

}  // namespace

void add_store_migrate(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("migrate", "Copy all blobs to another store, checked; run again to go on");
  auto to = std::make_shared<std::string>();
  auto deep = std::make_shared<bool>(false);
  cmd->add_option("--to", *to, "The other store: a folder or s3://bucket/prefix")->required();
  cmd->add_flag("--deep", *deep, "Also compare the bytes of what is there already, not only its size");
  cmd->callback([to, deep, &context] {
    context.start();
    Migration migration(context, *to, *deep);
    migration.run();
    migration.report();
  });
}

}  // namespace reeltag::app
