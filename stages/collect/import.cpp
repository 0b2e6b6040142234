#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

#include "authors.hpp"
#include "manifest.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/collect.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;

// What a worker finds out about a file; its bytes are in the store by then.
struct Stored {
  std::string id, key;
  media::Probe probe;  // empty where the catalog has the video already
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The file's own ending where it is a usual one, else one for the container.
std::string ending_of(const fs::path& file, const std::string& container) {
  static const std::set<std::string> usual{".mp4", ".mov", ".m4v", ".webm", ".mkv",
                                           ".avi", ".gif", ".3gp", ".ts",   ".flv"};
  const auto own = lower(file.extension().string());
  if (usual.contains(own)) return own;
  if (container.find("mp4") != std::string::npos) return ".mp4";
  if (container.find("matroska") != std::string::npos) return ".mkv";
  return container == "avi" ? ".avi" : container == "gif" ? ".gif" : ".video";
}

Result<void> check_file(const fs::path& file, const media::Limits& limits) {
  std::error_code error;
  const auto status = fs::status(file, error);
  if (!fs::exists(status)) return fail(Code::not_found, file.string() + " is not there");
  if (!fs::is_regular_file(status)) return fail(Code::not_a_video, file.string() + " is no regular file");
  const auto size = fs::file_size(file, error);
  if (error) return fail(Code::permission_denied, file.string() + ": " + error.message());
  if (size == 0) return fail(Code::not_a_video, file.string() + " is empty");
  if (size > static_cast<std::uintmax_t>(limits.max_bytes)) {
    return fail(Code::too_large, file.string() + " has " + std::to_string(size) + " bytes; media.max_bytes is " +
                                     std::to_string(limits.max_bytes));
  }
  return {};
}

// A header alone proves little: one frame from the middle must decode.
Result<media::Probe> check_video(const fs::path& file, const media::Limits& limits) {
  auto decoder = media::Decoder::open(file, limits);
  if (!decoder) return tl::unexpected(decoder.error());
  const double middle = (*decoder)->probe().duration / 2;
  auto frames = (*decoder)->frames_at({&middle, 1}, {.short_side = 32});
  if (!frames) return tl::unexpected(frames.error());
  return (*decoder)->probe();
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
    return report;
  }

 private:
  using Outcome = Result<Stored>;

  // Workers hash, check and store the files in any order; rows are written by commit() in the order of the input, so
  // that which of two equal files counts does not depend on timing.
  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::size_t i = next_.fetch_add(1);
      if (i >= entries_.size()) return;
      std::optional<Outcome> outcome;
      std::exception_ptr failure;
      try {
        outcome = entries_[i].candidate ? take_in(entries_[i].candidate->file)
                                        : tl::unexpected(entries_[i].candidate.error());
      } catch (...) {
        failure = std::current_exception();  // a lost store or catalog: rethrown by commit()
      }
      const std::lock_guard lock(mutex_);
      if (failure) failure_ = failure;
      outcomes_[i] = std::move(outcome);
      ready_.notify_one();
    }
  }

  Outcome take_in(const fs::path& file) {
    if (auto ok = check_file(file, limits_); !ok) return tl::unexpected(ok.error());
    const auto digest = sha256_file(file);
    if (!digest) return tl::unexpected(digest.error());
    Stored stored{.id = hex(*digest), .key = {}, .probe = {}};
    if (const auto existing = catalog_.get(stored.id)) {
      stored.key = existing->key;
      if (!store_.stat(stored.key)) store_.put_file(stored.key, file);
      return stored;
    }
    auto probe = check_video(file, limits_);
    if (!probe) return tl::unexpected(probe.error());
    stored.probe = std::move(*probe);
    stored.key = "videos/" + stored.id + ending_of(file, stored.probe.container);
    if (!store_.stat(stored.key)) store_.put_file(stored.key, file);
    return stored;
  }

  Outcome wait_for(std::size_t i) {
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
      report.rejected.push_back({entries_[i].path, outcome.error()});
      return;
    }
    try {
      const auto added = catalog_.add(row_of(*entries_[i].candidate, *outcome));
      ++(added == catalog::Added::added ? report.added : report.duplicate);
    } catch (const Exception& e) {
      if (e.code() != Code::invalid_argument) throw;  // a fact that the catalog cannot hold: this video's fault alone
      report.rejected.push_back({entries_[i].path, e.error()});
    }
    entries_[i].candidate = Candidate{};  // a manifest may have a million rows
  }

  catalog::Video row_of(Candidate& c, const Stored& stored) {
    catalog::Video v;
    v.id = stored.id;
    v.key = stored.key;
    v.source = options_.source;
    v.source_id = std::move(c.source_id);
    if (c.group.empty()) {
      v.group = stored.id;
    } else {
      v.group = std::move(c.group);
    }
    v.author = authors_.hash(c.author);
    v.caption = std::move(c.caption);
    v.hashtags = std::move(c.hashtags);
    v.created = c.created;
    v.duration = stored.probe.duration;
    v.width = stored.probe.width;
    v.height = stored.probe.height;
    v.fps = stored.probe.fps;
    v.codec = stored.probe.codec;
    v.size_bytes = stored.probe.size_bytes;
    v.attributes = std::move(c.attributes);
    return v;
  }

  std::vector<Entry> entries_;
  std::vector<std::optional<Outcome>> outcomes_;  // guarded by mutex_
  const ImportOptions& options_;
  catalog::Catalog& catalog_;
  store::Store& store_;
  const media::Limits& limits_;
  Authors authors_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable ready_;
  std::exception_ptr failure_;  // guarded by mutex_
};

}  // namespace

ImportReport import_paths(std::span<const fs::path> paths, const ImportOptions& options, catalog::Catalog& catalog,
                          store::Store& store, const media::Limits& limits, const OnProgress& progress) {
  if (paths.empty()) throw Exception(Code::invalid_argument, "import: name at least one folder, manifest or video");
  std::vector<Entry> entries;
  for (const auto& path : paths) {
    try {
      auto listed = list_path(path);
      std::move(listed.begin(), listed.end(), std::back_inserter(entries));
    } catch (const Exception& e) {
      if (paths.size() == 1 || e.code() != Code::not_found) throw;
      entries.push_back({path.string(), tl::unexpected<Error>(e.error())});
    }
  }
  return Importer(std::move(entries), options, catalog, store, limits).run(progress);
}

}  // namespace reeltag::collect
