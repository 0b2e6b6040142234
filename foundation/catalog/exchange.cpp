#include "reeltag/catalog/exchange.hpp"

#include "check_video.hpp"
#include "reeltag/base/file.hpp"
#include "row_files.hpp"

namespace reeltag::catalog {
namespace {

namespace fs = std::filesystem;

// Rows per transaction: a few tenths of a second, so that other writers need not wait for long.
constexpr std::size_t kBatch = 1000;

bool is_jsonl(const fs::path& path) { return path.extension() == ".jsonl"; }

bool is_secret(const Row& row) {
  const auto* note = std::get_if<Note>(&row);
  return std::holds_alternative<Tombstone>(row) || (note != nullptr && note->name == kSaltNote);
}

std::string name_of(const Row& row) {
  if (const auto* video = std::get_if<Video>(&row)) return "video " + video->id;
  if (const auto* fingerprint_row = std::get_if<FingerprintRow>(&row))
    return "fingerprint of video " + fingerprint_row->video;
  if (const auto* post = std::get_if<Post>(&row)) return "post " + post->site + ":" + post->id;
  if (const auto* note = std::get_if<Note>(&row)) return "note " + note->name;
  return "a tombstone";
}

void add(Counts& sum, const Counts& more) {
  sum.videos += more.videos;
  sum.fingerprints += more.fingerprints;
  sum.posts += more.posts;
  sum.notes += more.notes;
  sum.tombstones += more.tombstones;
}

std::int64_t sum_of(const Counts& c) { return c.videos + c.fingerprints + c.posts + c.notes + c.tombstones; }

// Reports progress, and throws if a stop was requested.
void report_progress(const ExchangeOptions& options, std::int64_t rows, const std::string& what_is_left) {
  if (options.progress) options.progress(rows);
  if (options.stop.stop_requested()) throw Exception(Code::interrupted, what_is_left);
}

void read(const fs::path& path, const std::function<void(const Row&)>& visit) {
  fs::is_directory(path) ? read_parquet(path, visit) : read_jsonl(path, visit);
}

// Batches rows for restoring them to a catalog.
class Import {
 public:
  Import(Catalog& catalog, const ExchangeOptions& options, ImportReport& report)
      : catalog_(catalog), options_(options), report_(report) {}

  void take(const Row& row) {
    if (is_secret(row) && !options_.secrets) return;
    try {
      check_row(row);
    } catch (const Exception& e) {
      report_.rejected.emplace_back(name_of(row), e.error());
      return;
    }
    rows_.push_back(row);
    if (rows_.size() == kBatch) store();
  }
  void store() {
    if (rows_.empty()) return;
    add(report_.stored, catalog_.restore(rows_));
    done_ += static_cast<std::int64_t>(rows_.size());
    rows_.clear();
    report_progress(options_, done_, "import stopped; what was stored stays. Run it again to go on");
  }

 private:
  Catalog& catalog_;
  const ExchangeOptions& options_;
  ImportReport& report_;
  std::vector<Row> rows_;
  std::int64_t done_ = 0;
};

}  // namespace

void count(const Row& row, Counts& counts) {
  counts.videos += std::holds_alternative<Video>(row) ? 1 : 0;
  counts.fingerprints += std::holds_alternative<FingerprintRow>(row) ? 1 : 0;
  counts.posts += std::holds_alternative<Post>(row) ? 1 : 0;
  counts.notes += std::holds_alternative<Note>(row) ? 1 : 0;
  counts.tombstones += std::holds_alternative<Tombstone>(row) ? 1 : 0;
}

ExportReport export_to(Catalog& catalog, const fs::path& path, const ExchangeOptions& options) {
  const auto target = fs::absolute(path).lexically_normal();
  const auto name = target.has_filename() ? target : target.parent_path();
  if (fs::exists(name)) {
    throw Exception(Code::already_exists,
                    "'" + name.string() + "' is there already; name another one, or move it away");
  }
  // Only this user can access the folder, during and after writing.
  const TemporaryFolder private_folder(".tmp-export", name.parent_path());
  const auto made = private_folder.path() / "catalog";
  const auto writer = is_jsonl(name) ? write_jsonl(made) : write_parquet(made);
  ExportReport report;
  catalog.each_row([&](const Row& row) {
    if (is_secret(row) && !options.secrets) {
      report.tombstones_left_out += std::holds_alternative<Tombstone>(row) ? 1 : 0;
      return;
    }
    writer->write(row);
    count(row, report.rows);
    if (const auto rows = sum_of(report.rows); rows % static_cast<std::int64_t>(kBatch) == 0) {
      report_progress(options, rows, "export stopped; nothing was written");
    }
  });
  writer->finish(report.rows);
  fs::permissions(made, is_jsonl(name) ? fs::perms{0600} : fs::perms{0700});
  rename_durably(made, name);
  return report;
}

ImportReport import_from(Catalog& catalog, const fs::path& path, const ExchangeOptions& options) {
  if (!fs::exists(path)) throw Exception(Code::not_found, "there is no '" + path.string() + "'");
  ImportReport report;
  read(path, [&](const Row& row) {
    count(row, report.rows);
    if (options.stop.stop_requested()) throw Exception(Code::interrupted, "import stopped; nothing was stored");
  });
  Import import(catalog, options, report);
  read(path, [&](const Row& row) { import.take(row); });
  import.store();
  return report;
}

}  // namespace reeltag::catalog
