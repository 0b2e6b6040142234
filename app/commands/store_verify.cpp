// store verify: whether every video of the catalog has its bytes, and what lies in the store besides.
#include <algorithm>
#include <mutex>
#include <optional>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "commands/blobs.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/progress.hpp"

namespace reeltag::app {
namespace {

// A row's blob that is not as the row says.
struct BadBlob {
  std::string video, key, what;  // what: "missing", "size", "bytes"
  Error error;
};

class Verification {
 public:
  Verification(Context& context, bool deep) : context_(context), deep_(deep), store_(context.open_store()) {}

  void run() {
    // Rows before blobs: a collection stores bytes before their row.
    const auto needs = references_of(context_);
    for (auto& blob : store_->list("")) {
      const auto use = needs.use_of(blob.key);
      if (use == Use::none) orphans_.push_back(blob);
      if (use == Use::foreign) foreign_.push_back(blob);
      auto key = blob.key;
      blobs_.emplace(std::move(key), std::move(blob));
    }
    unfinished_ = store_->unfinished();
    rows_ = needs.rows.size();
    Progress progress("verify", static_cast<std::int64_t>(rows_));
    for_each_of(rows_, [&](std::size_t i) {
      look_at(needs.rows[i]);
      progress.advance();
    });
    std::sort(wrong_.begin(), wrong_.end(), [](const BadBlob& a, const BadBlob& b) { return a.video < b.video; });
  }

  void report() const {
    for (const auto& w : wrong_) context_.item_failed(w.video, w.error);
    if (context_.json) return print(dump_json(to_json()));
    for (const auto& blob : orphans_)
      print("orphan    " + blob.key + "  " + std::to_string(blob.size_bytes) + " bytes");
    for (const auto& blob : foreign_)
      print("foreign   " + blob.key + "  " + std::to_string(blob.size_bytes) + " bytes");
    for (const auto& one : unfinished_) print("unfinished " + one.name);
    print(std::to_string(rows_) + " videos, " + std::to_string(wrong_.size()) + " wrong" +
          (deep_ ? "" : " (sizes only; --deep reads every byte)") + "; " + std::to_string(orphans_.size()) +
          " blobs that nothing refers to, " + std::to_string(unfinished_.size()) + " unfinished writes" +
          (orphans_.empty() && unfinished_.empty() ? "" : " (store gc clears up)"));
  }

 private:
  void look_at(const BlobReferences::Row& row) {
    const auto found = blobs_.find(row.key);
    auto blob = found != blobs_.end() ? std::optional(found->second) : store_->stat(row.key);
    if (!blob) {
      return add(row, "missing", Code::not_found,
                 "the store has no " + row.key + "; import the file again to put it back");
    }
    if (row.size_bytes > 0 && blob->size_bytes != row.size_bytes) {
      return add(row, "size", Code::corrupt,
                 row.key + " has " + std::to_string(blob->size_bytes) + " bytes instead of " +
                     std::to_string(row.size_bytes) + "; import the file again to replace it");
    }
    if (deep_ && !has_bytes_of(row, *blob)) {
      add(row, "bytes", Code::corrupt,
          row.key + " holds other bytes; delete it from the store and import the file again");
    }
  }

  bool has_bytes_of(const BlobReferences::Row& row, const store::Blob& blob) {
    try {
      return digest_of(*store_, blob) == row.video;
    } catch (const Exception& e) {
      if (e.code() != Code::corrupt) throw;  // the object store has noticed it too
      return false;
    }
  }

  void add(const BlobReferences::Row& row, const std::string& what, Code code, std::string message) {
    const std::lock_guard lock(mutex_);
    wrong_.push_back({row.video, row.key, what, {code, std::move(message)}});
  }

  [[nodiscard]] nlohmann::json to_json() const {
    const auto list = [](const std::vector<store::Blob>& blobs) {
      auto out = nlohmann::json::array();
      for (const auto& blob : blobs) out.push_back({{"key", blob.key}, {"size", blob.size_bytes}});
      return out;
    };
    auto wrong = nlohmann::json::array(), unfinished = nlohmann::json::array();
    for (const auto& w : wrong_) wrong.push_back({{"video", w.video}, {"key", w.key}, {"what", w.what}});
    for (const auto& one : unfinished_) unfinished.push_back({{"name", one.name}, {"begun", one.begun}});
    return {{"store", store_->url()},
            {"videos", rows_},
            {"deep", deep_},
            {"wrong", std::move(wrong)},
            {"orphans", list(orphans_)},
            {"foreign", list(foreign_)},
            {"unfinished", std::move(unfinished)}};
  }

  Context& context_;
  bool deep_;
  std::unique_ptr<store::Store> store_;
  std::unordered_map<std::string, store::Blob> blobs_;
  std::vector<store::Blob> orphans_, foreign_;
  std::vector<store::UnfinishedUpload> unfinished_;
  std::size_t rows_ = 0;
  std::mutex mutex_;
  std::vector<BadBlob> wrong_;  // guarded by mutex_ while threads look
};

}  // namespace

void add_store_verify(CLI::App& parent, Context& context) {
  auto* cmd = parent.add_subcommand("verify", "Whether every video has its bytes, and what lies there besides");
  auto deep = std::make_shared<bool>(false);
  cmd->add_flag("--deep", *deep, "Read every byte and compare the SHA-256");
  cmd->callback([deep, &context] {
    context.start();
    Verification verification(context, *deep);
    verification.run();
    verification.report();
  });
}

}  // namespace reeltag::app
