// Resolves aliases and changes the versions that they name.
#include <nlohmann/json.hpp>

#include "history.hpp"
#include "reeltag/registry.hpp"
#include "reference.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;

std::int64_t current(const Named& named, const std::string& alias) {
  const auto it = named.find(alias);
  return it == named.end() ? 0 : it->second.back();
}

std::string number_text(std::int64_t number) { return number == 0 ? "no version" : std::to_string(number); }

// The version named before the current one; 0 if there is none.
std::int64_t before(const std::vector<std::int64_t>& past, const std::set<std::int64_t>& removed) {
  for (auto it = past.rbegin() + 1; it != past.rend(); ++it) {
    if (*it != past.back() && !removed.contains(*it)) return *it;
  }
  return 0;
}

}  // namespace

std::map<std::string, std::int64_t> Registry::aliases(const std::string& name) const {
  std::map<std::string, std::int64_t> out;
  for (const auto& [alias, past] : named_by_aliases(history(name))) out[alias] = past.back();
  return out;
}

std::optional<VersionId> Registry::find(const std::string& text) const {
  const auto reference = parse_reference(text);
  if (!reference) return std::nullopt;
  std::string name = reference->name, alias = reference->alias;
  if (!reference->word.empty()) {
    // The word is an alias of the default name if that exists, else a name, meaning its champion; with models:/ always
    // a name.
    const bool word_is_alias =
        !reference->strict && has(kDefaultName) && aliases(kDefaultName).contains(reference->word);
    name = word_is_alias ? kDefaultName : reference->word;
    alias = word_is_alias ? reference->word : kChampion;
  }
  if (!has(name)) {
    if (!reference->strict) return std::nullopt;
    throw Exception(Code::not_found, "no model '" + name + "' was published in " + models_.string() +
                                         " (reeltag models list shows what there is)");
  }
  if (reference->number > 0) {
    // A number alone may be a run's id.
    const bool elsewhere = reference->bare && !fs::exists(models_ / name / std::to_string(reference->number));
    return elsewhere ? std::nullopt : std::optional(VersionId{name, reference->number});
  }
  const auto named = aliases(name);
  if (const auto it = named.find(alias); it != named.end()) return VersionId{name, it->second};
  if (!reference->word.empty() && !reference->strict) return std::nullopt;
  throw Exception(Code::not_found, name + " has no " + alias + "; make a version one: reeltag models promote " + name +
                                       "/NUMBER --alias " + alias + ", or name a version: " + name + "/NUMBER");
}

std::optional<Change> Registry::promote(const VersionId& id, const std::string& alias, const Validator& validator,
                                        const Author& author, std::optional<std::int64_t> from) const {
  check_alias(alias);
  const Author who = checked(author);
  const Version version = get(id);
  try {
    validator(version.folder);
  } catch (const Exception& e) {
    if (e.code() == Code::interrupted) throw;
    throw Exception(e.code(), to_string(id) + " is not promoted, since it does not work: " + e.what());
  }
  // Validation may take minutes and does not hold the lock, so the current state is read only now.
  const fs::path folder = models_ / id.name;
  const Lock lock(folder);
  auto changes = read_history(folder);
  const auto now = current(named_by_aliases(changes), alias);
  if (removed_versions(changes).contains(id.number))
    throw Exception(Code::not_found, to_string(id) + " was removed while it was tested");
  if (from && *from != now)
    throw Exception(Code::already_exists, alias + " of " + id.name + " names " + number_text(now) + ", not " +
                                              number_text(*from) + ": somebody else was faster (reeltag models show " +
                                              id.name + ")");
  if (now == id.number) return std::nullopt;
  return append(folder, changes,
                {.act = Act::promote, .version = id.number, .alias = alias, .from = now, .by = who.by, .why = who.why});
}

Change Registry::rollback(const std::string& name, const std::string& alias, const Author& author) const {
  check_name(name);
  check_alias(alias);
  const Author who = checked(author);
  if (!has(name)) throw Exception(Code::not_found, "no model '" + name + "' was published in " + models_.string());
  const fs::path folder = models_ / name;
  const Lock lock(folder);
  auto changes = read_history(folder);
  const Named named = named_by_aliases(changes);
  const auto past = named.find(alias);
  if (past == named.end()) throw Exception(Code::not_found, name + " has no " + alias);
  const auto to = before(past->second, removed_versions(changes));
  if (to == 0)
    throw Exception(Code::not_found, alias + " of " + name + " names " + std::to_string(past->second.back()) +
                                         " and named no version before it that is still there");
  get({name, to});
  return append(
      folder, changes,
      {.act = Act::rollback, .version = to, .alias = alias, .from = past->second.back(), .by = who.by, .why = who.why});
}

}  // namespace reeltag::registry
