// Publishes, reads and removes versions. Aliases are in alias.cpp.
#include "reeltag/registry.hpp"

#include <unistd.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "history.hpp"
#include "record.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reference.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStaging = ".publish";
constexpr const char* kTemporary = ".tmp-";  // prefix of a partly written history

// Numbers of the version folders, ascending. A complete folder gets its number by a rename.
std::vector<std::int64_t> numbers_in(const fs::path& folder) {
  std::vector<std::int64_t> numbers;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (const auto n = version_number(entry.path().filename().string()); n > 0) numbers.push_back(n);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

fs::path folder_of(const fs::path& models, const VersionId& id) { return models / id.name / std::to_string(id.number); }

// The published digest of the version's record; empty if the publisher died and no writer has repaired the history yet.
std::string published_record(const std::vector<Change>& changes, std::int64_t number) {
  for (const auto& c : changes) {
    if (c.act == Act::publish && c.version == number) return c.record;
  }
  return "";
}

// Adds the facts that only the history has: figures and aliases.
void add_from_history(Version& version, const std::vector<Change>& changes) {
  for (const auto& c : changes) {
    if (c.act == Act::evaluate && c.version == version.id.number) version.figures = c.figures;
  }
  for (const auto& [alias, past] : named_by_aliases(changes)) {
    if (past.back() == version.id.number) version.aliases.push_back(alias);
  }
}

Version checked_record(const fs::path& models, const VersionId& id, const std::vector<Change>& changes) {
  const auto folder = folder_of(models, id);
  Version version = read_record(folder, id);
  const auto published = published_record(changes, id.number);
  if (!published.empty() && published != record_digest(folder))
    throw Exception(Code::corrupt, (folder / kRecord).string() + " is not as it was published");
  return version;
}

// Adds a version to the history whose publisher died between the rename and the history line. An unreadable folder is
// left for people to inspect.
void adopt(const fs::path& folder, const VersionId& id, std::vector<Change>& changes) {
  try {
    const Version version = read_record(folder / std::to_string(id.number), id);
    append(folder, changes,
           {.act = Act::publish,
            .version = id.number,
            .by = version.by,
            .at = version.at,
            .record = record_digest(version.folder)});
  } catch (const Exception& e) {
    if (e.code() != Code::corrupt) throw;
    log::warning("version_without_record", {{"version", to_string(id)}, {"reason", e.what()}});
  }
}

// Finishes or removes what a killed process left. Requires the lock.
void settle(const fs::path& models, const std::string& name, std::vector<Change>& changes) {
  const fs::path folder = models / name;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto file = entry.path().filename().string();
    if (file.starts_with(kStaging) || file.starts_with(kTemporary)) left.push_back(entry.path());
  }
  const auto removed = removed_versions(changes);
  for (const auto n : numbers_in(folder)) {
    if (removed.contains(n)) left.push_back(folder / std::to_string(n));
    if (removed.contains(n) || !published_record(changes, n).empty()) continue;
    adopt(folder, {name, n}, changes);
  }
  for (const auto& path : left) fs::remove_all(path);
}

std::int64_t next_number(const fs::path& folder, const std::vector<Change>& changes) {
  std::int64_t last = 0;
  for (const auto n : numbers_in(folder)) last = std::max(last, n);
  for (const auto& c : changes) last = std::max(last, c.version);
  return last + 1;
}

// The version with the same files, if there is one that can still be read.
std::optional<VersionId> same_as(const fs::path& models, const std::string& name, const std::vector<Change>& changes,
                                 const std::string& digest) {
  const auto removed = removed_versions(changes);
  for (const auto n : numbers_in(models / name)) {
    if (removed.contains(n)) continue;
    try {
      if (checked_record(models, {name, n}, changes).digest == digest) return VersionId{name, n};
    } catch (const Exception&) {  // ignored; versions() reports broken records
    }
  }
  return std::nullopt;
}

void make_folder(const fs::path& models, const std::string& name) {
  const fs::path folder = models / name;
  if (fs::exists(folder / "bundle.json"))
    throw Exception(Code::already_exists, folder.string() + " is an imported model; choose another --name");
  if (!fs::create_directories(folder)) return;
  sync_folder(models);
  sync_folder(models.parent_path());
}

}  // namespace

std::string to_string(const VersionId& id) { return id.name + "/" + std::to_string(id.number); }

Registry::Registry(const fs::path& models) : models_(fs::absolute(models)) {}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(models_, none)) {
    const auto name = entry.path().filename().string();
    if (has(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool Registry::has(const std::string& name) const {
  return is_name(name) && (fs::exists(history_file(models_ / name)) || !numbers_in(models_ / name).empty());
}

std::vector<Version> Registry::versions(const std::string& name) const {
  check_name(name);
  const auto changes = read_history(models_ / name);
  const auto removed = removed_versions(changes);
  std::vector<Version> versions;
  for (const auto n : numbers_in(models_ / name)) {
    if (removed.contains(n)) continue;
    const VersionId id{name, n};
    try {
      versions.push_back(checked_record(models_, id, changes));
    } catch (const Exception& e) {
      versions.push_back({.id = id, .folder = folder_of(models_, id), .fault = e.what()});
    }
    add_from_history(versions.back(), changes);
  }
  return versions;
}

Version Registry::get(const VersionId& id) const {
  check_name(id.name);
  const auto changes = read_history(models_ / id.name);
  const auto folder = folder_of(models_, id);
  if (removed_versions(changes).contains(id.number))
    throw Exception(Code::not_found, to_string(id) + " was removed (reeltag models show " + id.name + ")");
  if (!fs::exists(folder) && published_record(changes, id.number).empty())
    throw Exception(Code::not_found, "no version " + to_string(id) + " in " + models_.string() +
                                         " (reeltag models list shows what there is)");
  Version version = checked_record(models_, id, changes);
  check_files(version);
  add_from_history(version, changes);
  return version;
}

std::vector<Change> Registry::history(const std::string& name) const {
  check_name(name);
  return read_history(models_ / name);
}

Registry::PublishResult Registry::publish(const fs::path& bundle, const std::string& name, const Author& author) const {
  check_name(name);
  Version version = describe_bundle(bundle);
  version.figures = figures_of(bundle, version.bundle);
  version.source = fs::weakly_canonical(bundle).string();
  version.by = checked(author).by;
  make_folder(models_, name);
  const fs::path folder = models_ / name;
  const Lock lock(folder);
  auto changes = read_history(folder);
  settle(models_, name, changes);
  const TemporaryFolder staging(kStaging, folder);
  const fs::path ready = staging.path() / "version";
  fs::create_directory(ready);
  version.files = copy_files(bundle, ready);
  version.digest = digest_of(version.files);
  if (const auto same = same_as(models_, name, changes, version.digest)) {
    Version there = get(*same);
    if (version.figures != "{}" && version.figures != there.figures) {
      there.figures = version.figures;
      append(folder, changes,
             {.act = Act::evaluate, .version = same->number, .by = version.by, .figures = version.figures});
    }
    return {.version = there, .already = true};
  }
  version.id = {name, next_number(folder, changes)};
  version.at = now_utc();
  write_record(ready, version);
  version.folder = folder_of(models_, version.id);
  sync_folder(ready);
  rename_durably(ready, version.folder);
  append(folder, changes,
         {.act = Act::publish,
          .version = version.id.number,
          .by = version.by,
          .at = version.at,
          .why = author.why,
          .record = record_digest(version.folder)});
  return {.version = version, .already = false};
}

void Registry::remove(const VersionId& id, const Author& author) const {
  check_name(id.name);
  const Author who = checked(author);
  if (!has(id.name)) get(id);  // throws not_found
  const fs::path folder = models_ / id.name;
  const Lock lock(folder);
  auto changes = read_history(folder);
  // A broken version can be removed too, so its files are not checked.
  if (removed_versions(changes).contains(id.number) || !fs::exists(folder_of(models_, id))) get(id);
  for (const auto& [alias, past] : named_by_aliases(changes)) {
    if (past.back() != id.number) continue;
    throw Exception(Code::already_exists, to_string(id) + " is " + alias + " and stays; let " + alias +
                                              " name another version first: reeltag models promote " + id.name +
                                              "/NUMBER --alias " + alias);
  }
  append(folder, changes, {.act = Act::remove, .version = id.number, .by = who.by, .why = who.why});
  fs::remove_all(folder_of(models_, id));
}

}  // namespace reeltag::registry
