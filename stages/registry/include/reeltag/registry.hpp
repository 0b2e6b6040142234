// Versions of models and the aliases that name them (docs/adr/0072): HOME/models/<name>/<number>/ is a bundle that
// never changes, HOME/models/<name>/history.jsonl says what was done and so what each alias names. Registry: holds a
// path only; any thread, any number of processes. Those that write take turns by a lock per name, readers wait for
// nobody and see each change whole or not at all, after a kill too. Failure: Exception. invalid_argument for a name, an
// alias or a text that cannot be one; not_found for what is not there; already_exists where somebody else was faster or
// an alias stands in the way; corrupt, naming the file, for what is not as it was published; unavailable where another
// process keeps the lock for ten minutes; interrupted.
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
  std::int64_t number = 0;  // 1, 2, ... and never twice
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
  std::string source = {};            // the folder that it was made from
  std::string bundle = {};            // the bundle's own name
  std::string run = {}, dataset = {};
  std::vector<std::string> hashtags = {};
  std::string figures = "{}";  // JSON object: what evaluation said last; empty where it was never asked
  std::vector<VersionFile> files = {};
  std::vector<std::string> aliases = {};  // that name it now
  std::string fault = {};                 // why its record cannot be read; all but id and folder are then empty
};

// One line of the history.
enum class Act { publish, evaluate, promote, rollback, remove };
struct Change {
  std::int64_t number = 0;  // of the line: 1, 2, ...
  Act act = Act::publish;
  std::int64_t version = 0;  // promote, rollback: that the alias names from here on
  std::string alias = {};    // promote, rollback
  std::int64_t from = 0;     // promote, rollback: that the alias named before; 0: none
  std::string by = {}, at = {}, why = {};
  std::string record = {};   // publish: SHA-256 of version.json
  std::string figures = {};  // evaluate: JSON object
};

// Who does something and why; by: user@host where empty.
struct Author {
  std::string by = {}, why = {};
};

// Throws unless the model in the folder loads and answers. Without libtorch nobody can tell, so it is handed in.
using Validator = std::function<void(const std::filesystem::path& folder)>;

class Registry {
 public:
  explicit Registry(const std::filesystem::path& models);  // HOME/models; need not exist

  [[nodiscard]] const std::filesystem::path& folder() const { return models_; }
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has(const std::string& name) const;
  // In rising order, from their records alone: no file of a bundle is read. One that is broken has a fault.
  [[nodiscard]] std::vector<Version> versions(const std::string& name) const;
  // With every file checked against the digest of its publishing.
  Version get(const VersionId& id) const;
  [[nodiscard]] std::map<std::string, std::int64_t> aliases(const std::string& name) const;
  std::vector<Change> history(const std::string& name) const;

  // What a text means: "hashtags@champion", "hashtags/3", "hashtags" (its champion), each also after "models:/";
  // "champion" and "3" (of the default name). Nothing where it means something else, or nothing. Throws not_found for a
  // name that has no such alias, and for anything after "models:/" that is not there. The version is not opened.
  std::optional<VersionId> find(const std::string& text) const;

  struct PublishResult {
    Version version;
    bool already = false;  // the same files were published before, under this number
  };
  // Copies a bundle. Figures come from the metrics.json of the run, or from one in the bundle's folder; where the same
  // bundle has been evaluated since, they go into the history.
  PublishResult publish(const std::filesystem::path& bundle, const std::string& name, const Author& author) const;

  // Lets the alias name the version once its files are checked and the validator is content. from: refused unless the
  // alias names that one still (0: none). Nothing where the alias names the version already.
  std::optional<Change> promote(const VersionId& id, const std::string& alias, const Validator& validator,
                                const Author& author, std::optional<std::int64_t> from = std::nullopt) const;
  // Lets the alias name what it named before the version that it names; again: one further. Versions removed since are
  // passed over. The files are checked, but not loaded: it is for emergencies, and they did load.
  Change rollback(const std::string& name, const std::string& alias, const Author& author) const;
  // Refused while an alias names it. Its number is not used again.
  void remove(const VersionId& id, const Author& author) const;

 private:
  std::filesystem::path models_;
};

// What a bundle says of itself, once it is seen that its texts agree with each other: bundle, hashtags, run, dataset.
Version describe_bundle(const std::filesystem::path& bundle);

// The texts beside the weights; empty where there is none.
std::string card_of(const Version& version);
std::string recipe_of(const Version& version);

nlohmann::ordered_json to_json(const Version& version);
nlohmann::ordered_json to_json(const Change& change);
const char* act_name(Act act);

// Throws invalid_argument. Names: a letter, then letters, digits, - and _, at most 64. Aliases: [a-z][a-z0-9-]*, at
// most 64, neither "latest" nor v and digits, which other registries give meanings of their own.
void check_name(const std::string& name);
void check_alias(const std::string& alias);

struct ModelFolders {
  std::filesystem::path home, shipped;  // shipped: the folder of the models that come with the program
};
// A model's folder by what people call it. A version or alias as Registry::find reads it, with its files checked; else
// a bundle's folder, a run's id or an imported model of the home, or a shipped model. Empty: the champion of the
// default name where there is one, else the starter. Throws not_found with the names that there are.
std::filesystem::path find_model(const ModelFolders& places, const std::string& text);

// Tells a server when an alias names another version. One thread at a time.
//
//   registry::Watch watch(home / "models", "hashtags", "champion");
//   if (auto now = watch.poll(); now && *now) load(registry.get({"hashtags", **now}));
class Watch {
 public:
  Watch(const std::filesystem::path& models, std::string name, std::string alias);
  // The version that the alias names, where that is another than at the last call; nothing where it is the same, or
  // where there is no such alias. Costs one stat while nothing was done in the registry. An error leaves everything as
  // it was, for the next call to try again.
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
