#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "crawl/authors.hpp"
#include "crawl/source.hpp"
#include "import/manifest.hpp"
#include "import/remote.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/ingest.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kForgotten =
    "forgotten: the video, its post or its author was forgotten (reeltag forget) and is not taken in again";
constexpr std::size_t kBatch = 500;  // posts per transaction

// The attributes with the file's own name, by which people know it; an attribute of a manifest goes before it.
std::string with_file_name(const std::string& attributes, const fs::path& file) {
  const auto name = file.filename().string();
  auto json = nlohmann::json::parse(attributes, nullptr, false);
  if (!json.is_object() || json.contains(catalog::kFileAttribute)) return attributes;
  json[catalog::kFileAttribute] = name;
  // Bytes of a name that are no UTF-8 become U+FFFD: it is shown, not opened.
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class Importer {
 public:
  Importer(std::vector<Entry> entries, const ImportOptions& options, catalog::Catalog& catalog, store::Store& store,
           const media::Limits& limits)
      : entries_(std::move(entries)),
        outcomes_(entries_.size()),
        options_(options),
        catalog_(catalog),
        store_(store),
        limits_(limits),
        authors_(options.salt_file) {}

  ImportReport run(const OnProgress& progress) {
    const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    const auto wanted = options_.jobs > 0 ? static_cast<std::size_t>(options_.jobs) : processors;
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < std::min(wanted, entries_.size()); ++i) {
      workers.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
    ImportReport report;
    const auto total = static_cast<std::int64_t>(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      commit(i, report);
      if (progress) progress(static_cast<std::int64_t>(i) + 1, total);
    }
    if (!metadata_only_.empty()) write_metadata_only(report);
    return report;
  }

 private:
  using Taken = Result<ingest::IngestedVideo>;

  // Workers hash, check and store the files in any order; commit() writes the rows in the order of the input, so that
  // which of two equal files counts does not depend on timing.
  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::size_t i = next_.fetch_add(1);
      if (i >= entries_.size()) return;
      std::optional<Taken> outcome;
      std::exception_ptr failure;
      try {
        const auto& candidate = entries_[i].candidate;
        outcome = candidate ? take(*candidate) : tl::unexpected(candidate.error());
      } catch (...) {
        failure = std::current_exception();  // a lost store or catalog: rethrown by commit()
      }
      const std::lock_guard lock(mutex_);
      if (failure) failure_ = failure;
      outcomes_[i] = std::move(outcome);
      ready_.notify_one();
    }
  }

  Taken take(const Candidate& c) {
    if (c.file.empty()) return ingest::IngestedVideo{};  // nothing to store
    if (!c.remote) return ingest::ingest_file(c.file, ingest::Origin::local, catalog_, store_, limits_);
    return c.remote->visit(c.file, limits_, [this](const fs::path& fetched) {
      return ingest::ingest_file(fetched, ingest::Origin::untrusted, catalog_, store_, limits_);
    });
  }

  Taken wait_for(std::size_t i) {
    std::unique_lock lock(mutex_);
    while (!outcomes_[i] && !failure_) {
      ready_.wait_for(lock, std::chrono::milliseconds(200));
      if (options_.stop.stop_requested()) break;
    }
    if (options_.stop.stop_requested()) {
      throw Exception(Code::interrupted, "import stopped; what was added stays. Run it again to go on");
    }
    if (failure_) std::rethrow_exception(failure_);
    auto outcome = std::move(*outcomes_[i]);
    outcomes_[i].reset();
    return outcome;
  }

  void commit(std::size_t i, ImportReport& report) {
    auto outcome = wait_for(i);
    if (!outcome) {
      const auto& candidate = entries_[i].candidate;
      if (candidate && candidate->may_be_other && outcome.error().code == Code::not_a_video) {
        report.passed_over.push_back(entries_[i].path);
      } else {
        report.rejected.push_back({entries_[i].path, outcome.error()});
      }
      return;
    }
    try {
      auto& candidate = *entries_[i].candidate;
      if (candidate.file.empty()) {
        describe(entries_[i].path, candidate, report);
      } else {
        if (!metadata_only_.empty()) write_metadata_only(report);  // in the order of the input
        count(store_row(candidate, *outcome), entries_[i].path, report);
      }
    } catch (const Exception& e) {
      if (e.code() != Code::invalid_argument) throw;  // the catalog cannot hold a value: only this video fails
      report.rejected.push_back({entries_[i].path, e.error()});
    }
    entries_[i].candidate = Candidate{};  // a manifest may have a million rows
  }

  catalog::AddOutcome store_row(Candidate& candidate, const ingest::IngestedVideo& stored) {
    if (stored.forgotten) return catalog::AddOutcome::forgotten;
    const auto added = catalog_.record(record_of(candidate, stored));
    if (added == catalog::AddOutcome::forgotten) ingest::undo_ingest(stored, catalog_, store_);
    return added;
  }

  static void count(catalog::AddOutcome added, const std::string& path, ImportReport& report) {
    switch (added) {
      case catalog::AddOutcome::added:
        ++report.added;
        return;
      case catalog::AddOutcome::duplicate:
        ++report.duplicate;
        return;
      case catalog::AddOutcome::forgotten:
        report.rejected.push_back({path, {Code::permission_denied, std::string(kForgotten)}});
    }
  }

  // Builds the row, and if the file is a known site's video also its post, so that a collection does not fetch it
  // again.
  catalog::ChangeSet record_of(Candidate& c, const ingest::IngestedVideo& stored) {
    catalog::Video v = ingest::video_row(stored);
    v.source = c.source.empty() ? options_.source : c.source;
    v.source_id = std::move(c.source_id);
    v.author = authors_.hash(c.author);
    if (!c.group.empty()) {
      v.group = std::move(c.group);
    } else {
      v.group = c.group_by_author && !v.author.empty() ? v.author : stored.id;
    }
    v.caption = std::move(c.caption);
    v.hashtags = std::move(c.hashtags);
    v.created = c.created;
    v.attributes = with_file_name(c.attributes, c.file);
    catalog::ChangeSet record{.fingerprint = stored.fingerprint};
    if (!c.site.empty() && !v.source_id.empty()) record.post = post_of(c.site, v, outcome_name(Outcome::added));
    record.video = std::move(v);
    return record;
  }

  static catalog::Post post_of(const std::string& site, const catalog::Video& v, std::string_view outcome) {
    return {.site = site,
            .id = v.source_id,
            .source = v.source,
            .video = v.id,
            .outcome = std::string(outcome),
            .round = 0,
            .author = v.author,
            .caption = v.caption,
            .hashtags = v.hashtags,
            .created = v.created,
            .attributes = v.attributes,
            .seen = 0};
  }

  // Queues the metadata-only post of a video that is not here; existing metadata is kept. Posts are written in batches.
  void describe(const std::string& path, Candidate& c, ImportReport& report) {
    const auto site = c.site.empty() ? options_.source : c.site;
    if (!metadata_only_ids_.insert(site + '\n' + c.source_id).second || catalog_.posts.get(site, c.source_id)) {
      ++report.duplicate;
      return;
    }
    catalog::Video v;
    v.source = options_.source;
    v.source_id = std::move(c.source_id);
    v.author = authors_.hash(c.author);
    v.caption = std::move(c.caption);
    v.hashtags = std::move(c.hashtags);
    v.created = c.created;
    v.attributes = std::move(c.attributes);
    metadata_only_.push_back({.post = post_of(site, v, outcome_name(Outcome::metadata_only))});
    metadata_only_paths_.push_back(path);
    if (metadata_only_.size() == kBatch) write_metadata_only(report);
  }

  void write_metadata_only(ImportReport& report) {
    try {
      const auto answers = catalog_.record_all(metadata_only_);
      for (std::size_t i = 0; i < answers.size(); ++i) count_metadata_only(answers[i], i, report);
    } catch (const Exception& e) {
      if (e.code() != Code::invalid_argument) throw;
      for (std::size_t i = 0; i < metadata_only_.size(); ++i) write_one(i, report);  // finds the invalid one
    }
    metadata_only_.clear();
    metadata_only_paths_.clear();
    metadata_only_ids_.clear();
  }

  void count_metadata_only(catalog::AddOutcome answer, std::size_t i, ImportReport& report) {
    if (answer == catalog::AddOutcome::forgotten) return count(answer, metadata_only_paths_[i], report);
    ++report.added;
    ++report.metadata_only;
  }

  void write_one(std::size_t i, ImportReport& report) {
    try {
      count_metadata_only(catalog_.record(metadata_only_[i]), i, report);
    } catch (const Exception& e) {
      if (e.code() != Code::invalid_argument) throw;
      report.rejected.push_back({metadata_only_paths_[i], e.error()});
    }
  }

  std::vector<Entry> entries_;
  std::vector<std::optional<Taken>> outcomes_;  // guarded by mutex_
  const ImportOptions& options_;
  catalog::Catalog& catalog_;
  store::Store& store_;
  const media::Limits& limits_;
  Authors authors_;
  std::vector<catalog::ChangeSet> metadata_only_;  // not written yet
  std::vector<std::string> metadata_only_paths_;
  std::unordered_set<std::string> metadata_only_ids_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable ready_;
  std::exception_ptr failure_;  // guarded by mutex_
};

}  // namespace

ImportReport import_paths(std::span<const fs::path> paths, const ImportOptions& options, catalog::Catalog& catalog,
                          store::Store& store, const media::Limits& limits, const OnProgress& progress) {
  if (paths.empty()) throw Exception(Code::invalid_argument, "import: name at least one folder, manifest or video");
  ImportList all;
  const ListOptions how{.labels_from = options.labels_from, .allowed = options.allowed};
  for (const auto& path : paths) {
    try {
      auto list = store::is_object_store(path.string()) ? list_remote(path.string(), options.remote, how)
                                                        : list_path(path, how);
      std::move(list.entries.begin(), list.entries.end(), std::back_inserter(all.entries));
      std::move(list.passed_over.begin(), list.passed_over.end(), std::back_inserter(all.passed_over));
      std::move(list.notes.begin(), list.notes.end(), std::back_inserter(all.notes));
    } catch (const Exception& e) {
      if (paths.size() == 1 || e.code() != Code::not_found) throw;
      all.entries.push_back({path.string(), fail(e.error())});
    }
  }
  auto report = Importer(std::move(all.entries), options, catalog, store, limits).run(progress);
  report.passed_over.insert(report.passed_over.begin(), all.passed_over.begin(), all.passed_over.end());
  report.notes = std::move(all.notes);
  return report;
}

}  // namespace reeltag::collect
