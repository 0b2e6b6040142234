// Loads, lists and redacts the datasets of one root.
#include <algorithm>
#include <system_error>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "snapshot/format.hpp"

namespace reeltag::dataset {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> ids_in(const fs::path& root) {
  std::vector<std::string> ids;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    auto name = it->path().filename().string();
    if (is_hex(name, 16)) ids.push_back(std::move(name));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Exception(Code::permission_denied, "cannot read " + root.string() + ": " + error.message());
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string newest(const fs::path& root) {
  for (const auto& entry : list(root)) {
    if (entry) return entry->id;
  }
  throw Exception(Code::not_found, "no dataset in " + root.string() + ": make one with `reeltag dataset freeze`");
}

std::string resolve(const fs::path& root, const std::string& id) {
  if (id.empty()) return newest(root);
  std::vector<std::string> fitting;
  for (auto& one : ids_in(root)) {
    if (one.starts_with(id)) fitting.push_back(std::move(one));
  }
  if (fitting.empty()) {
    throw Exception(Code::not_found,
                    "no dataset " + id + " in " + root.string() + "; `reeltag dataset list` shows them");
  }
  if (fitting.size() > 1)
    throw Exception(Code::invalid_argument, "dataset " + id + " may be " + fitting[0] + " or " + fitting[1]);
  return fitting[0];
}

struct LeftOut {
  std::int64_t items = 0, rejected = 0;
};

LeftOut leave_out(Dataset& set, const catalog::TombstoneSet& tombstones) {
  using catalog::Forgettable;
  if (tombstones.empty()) return {};
  LeftOut out;
  const auto is_forgotten = [&](const Item& item) {
    return tombstones.holds(Forgettable::video, item.video) || tombstones.holds(Forgettable::author, item.group) ||
           (!item.author.empty() && tombstones.holds(Forgettable::author, item.author));
  };
  out.items = static_cast<std::int64_t>(std::erase_if(set.items, is_forgotten));
  out.rejected = static_cast<std::int64_t>(std::erase_if(
      set.rejected, [&](const RejectedVideo& one) { return tombstones.holds(Forgettable::video, one.video); }));
  set.forgotten += out.items;
  return out;
}

// Removes video files of an earlier state, left by a kill between the two writes or before the removal.
void remove_left_overs(const fs::path& folder) {
  const auto current = videos_file(folder);
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    const bool temporary = name.starts_with(".tmp-");
    if (temporary || (name.starts_with("videos") && name.ends_with(".jsonl") && entry.path() != current)) {
      old.push_back(entry.path());
    }
  }
  for (const auto& path : old) fs::remove(path);
  if (!old.empty()) sync_folder(folder);
}

// dataset.json names the video file, so replacing dataset.json switches the set atomically.
void replace_files(const fs::path& folder, const RedactedFiles& files) {
  write_file(folder / files.videos_name, files.videos_jsonl);
  write_file(folder / "dataset.json", files.dataset_json);
  remove_left_overs(folder);
}

}  // namespace

std::vector<Result<Summary>> list(const fs::path& root) {
  std::vector<Result<Summary>> result;
  for (const auto& id : ids_in(root)) result.push_back(decode_summary(root / id));
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return (a ? a->created : INT64_MIN) > (b ? b->created : INT64_MIN);
  });
  return result;
}

Dataset load(const fs::path& root, const std::string& id, const catalog::TombstoneSet& tombstones) {
  auto set = decode(root / resolve(root, id));
  leave_out(set, tombstones);
  return set;
}

Redaction redact(const fs::path& root, const catalog::TombstoneSet& tombstones) {
  Redaction result;
  for (const auto& id : ids_in(root)) {
    try {
      auto set = decode(root / id);
      remove_left_overs(root / id);
      const auto out = leave_out(set, tombstones);
      if (out.items + out.rejected == 0) continue;
      const bool report = fs::remove(root / id / "report.html");
      replace_files(root / id, encode_redacted(set));
      result.sets.push_back({.id = id, .videos = out.items, .report = report});
    } catch (const Exception& e) {
      result.unreadable.push_back(e.error());
    }
  }
  return result;
}

}  // namespace reeltag::dataset
