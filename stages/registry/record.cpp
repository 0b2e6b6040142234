#include "record.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::registry {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::int64_t kMaxText = 16 << 20;      // bytes of bundle.json, card.md, version.json
constexpr std::int64_t kMaxMetrics = 256 << 20;  // bytes; hundreds of thousands of hashtags
constexpr std::size_t kPiece = 1 << 20;          // bytes copied at a time
constexpr auto kReadOnly = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
// The values of metrics.json that are useful to compare. Tables and curves stay with the run.
constexpr std::array kFigures{"dataset", "split", "labels", "videos", "failed", "top1",    "top5",
                              "map",     "gap20", "hit1",   "perr",   "chance", "hashtags"};

json read_json(const fs::path& file, std::int64_t most) {
  return value_or_throw(parse_json(value_or_throw(read_file(file, most)), file.string()));
}

bool stays_behind(const std::string& name) {
  return name.starts_with('.') || name == kRecord || name == "metrics.json" || name == "report.html";
}

std::vector<fs::path> files_to_copy(const fs::path& bundle) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(bundle)) {
    if (stays_behind(entry.path().filename().string())) continue;
    // A link in a bundle that somebody else made could bring any file of this machine into the version.
    if (!fs::is_regular_file(entry.symlink_status()))
      throw Exception(Code::invalid_argument,
                      entry.path().string() + " is no file; a bundle holds files only, so it cannot be published");
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Hashes the bytes that it writes, so the digest matches the copy even if the source changes meanwhile.
VersionFile copy_one(const fs::path& from, const fs::path& to) {
  VersionFile copied{.name = from.filename().string()};
  std::ifstream in(from, std::ios::binary);
  AtomicFile out(to / copied.name);
  Sha256 hash;
  std::string piece(kPiece, '\0');
  while (in.read(piece.data(), kPiece), in.gcount() > 0) {
    stop::throw_if_requested();
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(in.gcount()));
    out.write(bytes);
    hash.update(bytes);
    copied.bytes += in.gcount();
  }
  if (!in.eof()) throw Exception(Code::unavailable, "cannot read " + from.string());
  out.commit();
  fs::permissions(to / copied.name, kReadOnly);
  copied.sha256 = hex(hash.finish());
  return copied;
}

ordered_json record_of(const Version& v) {
  ordered_json files = ordered_json::array();
  for (const auto& f : v.files) files.push_back({{"name", f.name}, {"bytes", f.bytes}, {"sha256", f.sha256}});
  return {{"format", kFormat}, {"name", v.id.name},    {"version", v.id.number}, {"digest", v.digest},
          {"by", v.by},        {"at", v.at},           {"source", v.source},     {"bundle", v.bundle},
          {"run", v.run},      {"dataset", v.dataset}, {"hashtags", v.hashtags}, {"figures", json::parse(v.figures)},
          {"files", files}};
}

Version version_from(const json& j) {
  if (j.at("format").get<int>() > kFormat)
    throw Exception(Code::corrupt, "written by a newer reeltag (format " + j["format"].dump() + ")");
  Version v{.id = {j.at("name").get<std::string>(), j.at("version").get<std::int64_t>()},
            .digest = j.at("digest").get<std::string>(),
            .by = j.at("by").get<std::string>(),
            .at = j.at("at").get<std::string>(),
            .source = j.at("source").get<std::string>(),
            .bundle = j.at("bundle").get<std::string>(),
            .run = j.at("run").get<std::string>(),
            .dataset = j.at("dataset").get<std::string>(),
            .hashtags = j.at("hashtags").get<std::vector<std::string>>(),
            .figures = j.at("figures").dump()};
  for (const auto& f : j.at("files")) {
    v.files.push_back(
        {f.at("name").get<std::string>(), f.at("bytes").get<std::int64_t>(), f.at("sha256").get<std::string>()});
  }
  return v;
}

[[noreturn]] void changed(const fs::path& file, const std::string& how) {
  throw Exception(Code::corrupt, file.string() + " " + how +
                                     ": this version is not as it was published. Roll back or promote another one, "
                                     "then remove it and publish its bundle again");
}

void check_file(const fs::path& folder, const VersionFile& file) {
  const auto path = folder / file.name;
  if (!fs::is_regular_file(fs::symlink_status(path))) changed(path, "is missing");
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error || bytes != static_cast<std::uintmax_t>(file.bytes)) changed(path, "has another size");
  if (hex(value_or_throw(sha256_file(path))) != file.sha256) changed(path, "has other bytes");
}

std::string text_beside(const Version& version, const char* name) {
  const auto text = read_file(version.folder / name, kMaxText);
  if (!text && text.error().code != Code::not_found) throw Exception(text.error());
  return text ? *text : "";
}

}  // namespace

Version describe_bundle(const fs::path& bundle) {
  const auto file = bundle / "bundle.json";
  if (!fs::exists(file))
    throw Exception(Code::not_found, "no bundle in " + bundle.string() + ": it has no bundle.json");
  files_to_copy(bundle);  // refuses pipes and links before anything is read
  const json j = read_json(file, kMaxText);
  Version v;
  std::size_t thresholds = 0;
  try {
    v.bundle = j.at("name").get<std::string>();
    v.hashtags = j.at("vocabulary").get<std::vector<std::string>>();
    thresholds = j.at("thresholds").size();
    const json trained = j.value("trained", json::object());
    if (trained.is_object()) v.run = trained.value("run", "");
    if (trained.is_object()) v.dataset = trained.value("dataset", "");
  } catch (const json::exception& e) {
    throw Exception(Code::corrupt, file.string() + ": " + e.what());
  }
  const auto classes = model::load_recipe((bundle / "recipe.yaml").string()).model.num_classes;
  if (v.hashtags.empty() || v.hashtags.size() != thresholds || v.hashtags.size() != static_cast<std::size_t>(classes))
    throw Exception(Code::corrupt, file.string() + ": " + std::to_string(v.hashtags.size()) + " hashtags, " +
                                       std::to_string(thresholds) + " thresholds and a net of " +
                                       std::to_string(classes) + " classes do not fit together");
  return v;
}

std::string figures_of(const fs::path& bundle, const std::string& bundle_name) {
  const fs::path inside = bundle / "metrics.json", of_run = bundle.parent_path() / "metrics.json";
  const fs::path file = !fs::exists(inside) && bundle.filename() == "bundle" ? of_run : inside;
  if (!fs::exists(file)) return "{}";
  const json metrics = read_json(file, kMaxMetrics);
  if (!metrics.is_object()) throw Exception(Code::corrupt, file.string() + " is no object");
  if (const json model = metrics.value("model", json()); model != bundle_name) {
    log::warning("metrics.json is of another model and was left out",
                 {{"file", file.string()}, {"model", model.dump()}});
    return "{}";
  }
  ordered_json out = ordered_json::object();
  for (const char* key : kFigures) {
    if (const auto it = metrics.find(key); it != metrics.end()) out[key] = *it;
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<VersionFile> copy_files(const fs::path& bundle, const fs::path& to) {
  std::vector<VersionFile> copied;
  for (const auto& file : files_to_copy(bundle)) copied.push_back(copy_one(file, to));
  return copied;
}

std::string digest_of(const std::vector<VersionFile>& files) {
  std::string listing;  // as sha256sum writes it; the files are sorted by name
  for (const auto& f : files) listing += f.sha256 + "  " + f.name + "\n";
  return hex(sha256(listing));
}

void write_record(const fs::path& folder, const Version& version) {
  write_file(folder / kRecord, record_of(version).dump(1, ' ', false, json::error_handler_t::replace) + "\n");
  fs::permissions(folder / kRecord, kReadOnly);
}

Version read_record(const fs::path& folder, const VersionId& id) {
  const auto file = folder / kRecord;
  try {
    Version v = version_from(read_json(file, kMaxText));
    if (v.id != id) throw Exception(Code::corrupt, "is the record of " + to_string(v.id));
    if (v.digest != digest_of(v.files)) throw Exception(Code::corrupt, "digest and files contradict each other");
    v.folder = folder;
    return v;
  } catch (const std::exception& e) {
    throw Exception(Code::corrupt, file.string() + ": " + e.what());
  }
}

std::string record_digest(const fs::path& folder) { return hex(value_or_throw(sha256_file(folder / kRecord))); }

void check_files(const Version& version) {
  for (const auto& file : version.files) check_file(version.folder, file);
  for (const auto& entry : fs::directory_iterator(version.folder)) {
    const auto name = entry.path().filename().string();
    const bool listed =
        std::any_of(version.files.begin(), version.files.end(), [&](const VersionFile& f) { return f.name == name; });
    if (!listed && name != kRecord) changed(entry.path(), "was not published");
  }
}

std::string card_of(const Version& version) { return text_beside(version, "card.md"); }
std::string recipe_of(const Version& version) { return text_beside(version, "recipe.yaml"); }

}  // namespace reeltag::registry
