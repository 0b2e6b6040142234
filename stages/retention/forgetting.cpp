#include "reeltag/retention.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::retention {
namespace {

namespace fs = std::filesystem;
using catalog::Forgettable;
using catalog::TombstoneSet;
using nlohmann::json;

constexpr std::int64_t kMaxBytes = 1LL << 30;  // of a report or of figures
constexpr std::size_t kHashDigits = 64;

bool is_forgotten_file(const std::string& name, const TombstoneSet& tombstones) {
  return tombstones.holds(Forgettable::video, fs::path(name).stem().string());
}

std::int64_t sweep_store(store::Store& store, const TombstoneSet& tombstones) {
  std::int64_t removed = 0;
  for (const auto& blob : store.list("")) {
    if (is_forgotten_file(blob.key, tombstones) && store.remove(blob.key)) ++removed;
  }
  return removed;
}

void sweep_index(const Home& home, const TombstoneSet& tombstones, SweepReport& report) {
  try {
    report.indexed = home.open_index()->remove([&](const std::string& video) {
      return tombstones.holds(Forgettable::video, video) || is_forgotten_file(video, tombstones);
    });
  } catch (const Exception& e) {
    if (e.code() == Code::unavailable) throw;
    // No index, or one that cannot be read: that one has to go.
    if (e.code() != Code::not_found) report.failed.emplace_back("index", e.error());
  }
}

json object_in(const fs::path& file) {
  const auto text = read_file(file, kMaxBytes);
  if (!text) return json::object();
  auto parsed = parse_json(*text, file.string());
  return parsed && parsed->is_object() ? std::move(*parsed) : json::object();
}

// Datasets from which something was taken out, with how much of each.
std::map<std::string, std::int64_t> redacted_sets(const fs::path& home) {
  std::map<std::string, std::int64_t> sets;
  for (const auto& set : dataset::list(home / "datasets")) {
    if (set && set->forgotten > 0) sets.emplace(set->id, set->forgotten);
  }
  return sets;
}

std::vector<fs::path> folders_in(const fs::path& parent) {
  std::vector<fs::path> folders;
  std::error_code error;
  fs::directory_iterator it(parent, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    if (it->is_directory(error)) folders.push_back(it->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_regular_file(error)) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string dataset_of_run(const fs::path& run) {
  auto dataset = text_or_empty(object_in(run / "options.json"), "dataset");
  if (dataset.empty())
    dataset = text_or_empty(object_in(run / "bundle" / "bundle.json").value("trained", json()), "dataset");
  return dataset;
}

// A page shows pictures and captions of videos of a dataset, without naming each: one that is older than what was taken
// out of the dataset may show that.
bool is_older_than_its_set(const fs::path& home, const fs::path& run, const fs::path& page,
                           const std::map<std::string, std::int64_t>& sets) {
  auto dataset = text_or_empty(object_in(run / "metrics.json"), "dataset");
  if (dataset.empty()) dataset = dataset_of_run(run);
  std::error_code error;
  const auto changed = fs::last_write_time(home / "datasets" / dataset / "dataset.json", error);
  return sets.contains(dataset) && !error && fs::last_write_time(page) <= changed;
}

// The same text without lines (JSON Lines) or list elements (figures) that name what is forgotten; nothing for a kind
// of file of which that cannot be told.
std::optional<std::string> without_forgotten(const fs::path& file, const std::string& text,
                                             const TombstoneSet& tombstones) {
  if (file.extension() == ".jsonl") {
    std::string kept;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size() - 1) + 1;
      const auto line = std::string_view(text).substr(at, end - at);
      if (!names_forgotten(line, tombstones)) kept += line;
      at = end;
    }
    return kept;
  }
  if (file.filename() == "metrics.json") {
    auto figures = nlohmann::ordered_json::parse(text, nullptr, false);
    if (figures.is_discarded() || !figures.is_object()) return std::nullopt;
    for (auto& [key, value] : figures.items()) {
      if (!value.is_array()) continue;
      auto kept = nlohmann::ordered_json::array();
      for (auto& one : value) {
        if (!names_forgotten(one.dump(-1, ' ', false, json::error_handler_t::replace), tombstones)) kept.push_back(one);
      }
      value = std::move(kept);
    }
    auto left = figures.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    if (names_forgotten(left, tombstones)) return std::nullopt;
    return left;
  }
  return std::nullopt;
}

bool is_text(const fs::path& file) {
  static const std::set<std::string> kinds{".html", ".json", ".jsonl", ".csv", ".txt", ".md", ".log", ".yaml"};
  return kinds.contains(file.extension().string()) || file.filename().string().starts_with(".tmp-");
}

void sweep_file(const fs::path& file, bool page_of_changed_set, const TombstoneSet& tombstones, SweepReport& report) {
  if (!is_text(file)) return;
  const auto text = read_file(file, kMaxBytes);
  if (!text) {
    report.failed.emplace_back(file.string(), text.error());
    return;
  }
  const bool page = file.extension() == ".html";
  if (!page_of_changed_set && !names_forgotten(*text, tombstones)) return;
  if (const auto left = page ? std::nullopt : without_forgotten(file, *text, tombstones)) {
    write_file(file, *left);
  } else {
    fs::remove(file);
    sync_folder(file.parent_path());
  }
  report.reports.push_back(file);
}

}  // namespace

bool names_forgotten(std::string_view text, const TombstoneSet& tombstones) {
  if (tombstones.empty()) return false;
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end - at == kHashDigits) {
      const auto hash = text.substr(at, kHashDigits);
      if (tombstones.holds(Forgettable::video, hash) || tombstones.holds(Forgettable::author, hash)) return true;
    }
    at = std::max(end, at + 1);
  }
  return false;
}

void sweep_runs(const fs::path& home, const TombstoneSet& tombstones, SweepReport& report) {
  const auto sets = redacted_sets(home);
  for (const auto& place : {home / "runs", home / "models"}) {
    for (const auto& run : folders_in(place)) {
      for (const auto& file : files_in(run)) {
        const bool page = file.extension() == ".html" && is_older_than_its_set(home, run, file, sets);
        sweep_file(file, page, tombstones, report);
      }
    }
  }
}

SweepReport sweep(const Home& place, catalog::Catalog& catalog, store::Store& store) {
  const auto& home = place.folder;
  const auto tombstones = catalog.tombstones.all();
  SweepReport report;
  report.blobs = sweep_store(store, tombstones);
  report.downloads = collect::remove_downloads(home, tombstones);
  auto redaction = dataset::redact(home / "datasets", tombstones);
  report.sets = std::move(redaction.sets);
  for (const auto& set : report.sets) {
    if (set.report) report.reports.push_back(home / "datasets" / set.id / "report.html");
  }
  for (auto& error : redaction.unreadable) report.failed.emplace_back("dataset", std::move(error));
  sweep_runs(home, tombstones, report);
  sweep_index(place, tombstones, report);
  catalog.compact();
  return report;
}

std::vector<AffectedModel> affected_models(const fs::path& home) {
  const auto sets = redacted_sets(home);
  std::vector<AffectedModel> affected;
  const auto add = [&](const std::string& model, const std::string& dataset) {
    if (const auto at = sets.find(dataset); at != sets.end())
      affected.push_back({.model = model, .dataset = dataset, .forgotten = at->second});
  };
  const auto add_bundle = [&](const std::string& model, const fs::path& folder) {
    add(model, text_or_empty(object_in(folder / "bundle.json").value("trained", json()), "dataset"));
  };
  for (const auto& run : folders_in(home / "runs")) add(run.filename().string(), dataset_of_run(run));
  for (const auto& model : folders_in(home / "models")) {
    const auto name = model.filename().string();
    add_bundle(name, model);
    // A line of the registry: its versions (docs/adr/0072).
    for (const auto& version : folders_in(model)) add_bundle(name + "/" + version.filename().string(), version);
  }
  return affected;
}

}  // namespace reeltag::retention
