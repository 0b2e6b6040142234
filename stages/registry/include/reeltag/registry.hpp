// Versions of models and the aliases that name them (docs/adr/0072): HOME/models/<name>/<number>/ is an immutable
// bundle, HOME/models/<name>/history.jsonl logs all changes, from which the aliases follow.
// Registry holds only a path; any thread, any number of processes. Writers take a lock per name; readers never wait and
// see each change completely or not at all, also after a kill. Throws Exception: invalid_argument for an invalid name,
// alias or text; not_found; already_exists if another writer was first or an alias still names the version; corrupt,
// naming the file, for content that differs from what was published; unavailable if another process holds the lock for
// ten minutes; interrupted.
//
//   registry::Registry models(home / "models");
//   const auto made = models.publish(home / "runs" / "mine" / "bundle", "hashtags", {});
//   models.promote(made.version.id, "champion", self_test, {.why = "better on test"});
//   tag::Tagger tagger(registry::find_model({home, shipped}, "hashtags@champion"), {});
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "reeltag/base/error.hpp"

namespace reeltag::registry {

inline constexpr const char* kDefaultName = "hashtags";
inline constexpr const char* kChampion = "champion";

struct VersionId {
  std::string name = {};
  std::int64_t number = 0;  // 1, 2, ...; never reused
  bool operator==(const VersionId&) const = default;
};
std::string to_string(const VersionId& id);  // "hashtags/3"

struct VersionFile {
  std::string name = {};
  std::int64_t bytes = 0;
  std::string sha256 = {};
};

struct Version {
  VersionId id = {};
  std::filesystem::path folder = {};  // the bundle
  std::string digest = {};            // SHA-256 over the names and digests of its files
  std::string by = {}, at = {};       // who published it, and when (UTC)
  std::string source = {};            // the folder that it was copied from
  std::string bundle = {};            // the bundle's own name
  std::string run = {}, dataset = {};
  std::vector<std::string> hashtags = {};
  std::string figures = "{}";  // JSON object: the latest evaluation; empty if never evaluated
  std::vector<VersionFile> files = {};
  std::vector<std::string> aliases = {};  // that currently name it
  std::string fault = {};                 // why its record cannot be read; all but id and folder are then empty
};

// One line of the history.
enum class Act { publish, evaluate, promote, rollback, remove };
struct Change {
  std::int64_t number = 0;  // line number: 1, 2, ...
  Act act = Act::publish;
  std::int64_t version = 0;  // promote, rollback: the version that the alias names from here on
  std::string alias = {};    // promote, rollback
  std::int64_t from = 0;     // promote, rollback: the version that the alias named before; 0: none
  std::string by = {}, at = {}, why = {};
  std::string record = {};   // publish: SHA-256 of version.json
  std::string figures = {};  // evaluate: JSON object
};

// Who makes a change, and why. by: user@host if empty.
struct Author {
  std::string by = {}, why = {};
};

// Throws unless the model in the folder loads and runs. Passed in because that needs libtorch.
using Validator = std::function<void(const std::filesystem::path& folder)>;

class Registry {
 public:
  explicit Registry(const std::filesystem::path& models);  // HOME/models; need not exist

  [[nodiscard]] const std::filesystem::path& folder() const { return models_; }
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has(const std::string& name) const;
  // In ascending order, read from the records alone, not from bundle files. A broken version has its fault set.
  [[nodiscard]] std::vector<Version> versions(const std::string& name) const;
  // Returns the version after checking every file against its published digest.
  Version get(const VersionId& id) const;
  [[nodiscard]] std::map<std::string, std::int64_t> aliases(const std::string& name) const;
  std::vector<Change> history(const std::string& name) const;

  // Resolves a text: "hashtags@champion", "hashtags/3", "hashtags" (its champion), each also after "models:/";
  // "champion" and "3" (of the default name). nullopt if the text has another meaning or none. Throws not_found for a
  // name without that alias, and for anything after "models:/" that does not exist. The version is not opened.
  std::optional<VersionId> find(const std::string& text) const;

  struct PublishResult {
    Version version;
    bool already = false;  // the same files were already published as this version
  };
  // Copies a bundle into the registry. Figures come from the metrics.json of the run or of the bundle's folder; if the
  // same bundle was published before and has new figures, those are added to the history.
  PublishResult publish(const std::filesystem::path& bundle, const std::string& name, const Author& author) const;

  // Points the alias to the version after its files are checked and the validator has passed. from: throws unless the
  // alias still names that version (0: none). Returns nullopt if the alias already names the version.
  std::optional<Change> promote(const VersionId& id, const std::string& alias, const Validator& validator,
                                const Author& author, std::optional<std::int64_t> from = std::nullopt) const;
  // Points the alias to the version that it named before the current one; repeated calls go further back. Removed
  // versions are skipped. The files are checked but the model is not loaded: rollbacks are for emergencies, and it
  // loaded before.
  Change rollback(const std::string& name, const std::string& alias, const Author& author) const;
  // Throws already_exists while an alias names the version. Its number is not reused.
  void remove(const VersionId& id, const Author& author) const;

 private:
  std::filesystem::path models_;
};

// Reads bundle, hashtags, run and dataset from a bundle, after checking that its texts are consistent.
Version describe_bundle(const std::filesystem::path& bundle);

// The version's card and recipe; empty if it has none.
std::string card_of(const Version& version);
std::string recipe_of(const Version& version);

nlohmann::ordered_json to_json(const Version& version);
nlohmann::ordered_json to_json(const Change& change);
const char* act_name(Act act);

// Throw invalid_argument. Names: a letter, then letters, digits, - and _, at most 64. Aliases: [a-z][a-z0-9-]*, at most
// 64, but not "latest" or v and digits, which other registries reserve.
void check_name(const std::string& name);
void check_alias(const std::string& alias);

struct ModelFolders {
  std::filesystem::path home, shipped;  // shipped: the folder of the models that come with the program
};
// Finds a model's folder. The text is a version or alias as for Registry::find, whose files are checked; else a
// bundle's folder, a run's id or an imported model of the home, or a shipped model. Empty: the champion of the default
// name, else the starter. Throws not_found, listing the names that exist.
std::filesystem::path find_model(const ModelFolders& places, const std::string& text);

// Detects that an alias names another version. One thread at a time.
//
//   registry::Watch watch(home / "models", "hashtags", "champion");
//   if (auto now = watch.poll(); now && *now) load(registry.get({"hashtags", **now}));
class Watch {
 public:
  Watch(const std::filesystem::path& models, std::string name, std::string alias);
  // Returns the version that the alias names, if it changed since the last call; nullopt if it did not or there is no
  // such alias. Costs one stat while the registry is unchanged. After an error the next call tries again.
  Result<std::optional<std::int64_t>> poll();

 private:
  struct FileStamp {
    std::int64_t size = -1, seconds = 0, nanoseconds = 0;
    std::uint64_t inode = 0;
    bool operator==(const FileStamp&) const = default;
  };
  Registry registry_;
  std::filesystem::path history_;
  std::string name_, alias_;
  FileStamp seen_;
  std::optional<std::int64_t> version_;
};

}  // namespace reeltag::registry
