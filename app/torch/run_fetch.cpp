#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/model/bundle.hpp"
#include "reeltag/zoo.hpp"
#include "torch/import_checkpoint.hpp"

namespace reeltag::app {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;
using model_selection::ZooEntry;

constexpr double kMegabyte = 1e6;

ZooEntry wanted(const FetchArguments& a) {
  ZooEntry entry =
      find_entry(model_selection::read_zoo(a.zoo.empty() ? model_selection::shipped_zoo() : a.zoo), a.name);
  if (!a.url.empty()) entry.url = a.url;
  if (!a.vocabulary.empty()) entry.vocabulary = a.vocabulary;
  if (a.sha256.empty()) return entry;
  const auto digits = model_selection::read_sha256(a.sha256);
  if (!digits)
    throw Exception(Code::invalid_argument, "--sha256 must be 64 hexadecimal digits, not '" + a.sha256 + "'");
  entry.sha256 = *digits;
  return entry;
}

// What is told and remembered of an address: without the query, which may hold a signature that gives access.
std::string public_url(const std::string& url) { return url.substr(0, url.find_first_of("?#")); }

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / kMegabyte);
  return text;
}

struct FetchReport {
  fs::path file;
  std::int64_t bytes = 0, resumed = 0;
  std::string sha256;
};

FetchReport download(const Context& context, const ZooEntry& entry) {
  const fs::path file = download_of(context.home(), entry);
  std::optional<Progress> progress;
  const auto in_megabytes = [](std::int64_t bytes) { return static_cast<std::int64_t>(bytes / kMegabyte); };
  const auto got = value_or_throw(
      http::download_to_file(entry.url, file, context.config().http, [&](std::int64_t done, std::int64_t total) {
        if (!progress) progress.emplace("fetch", in_megabytes(total), Progress::Options{.start = in_megabytes(done)});
        progress->update(in_megabytes(done), {{"unit", "MB"}, {"model", entry.name}});
      }));
  return {file, got.bytes, got.resumed, hex(value_or_throw(sha256_file(file)))};
}

// Another file than was promised is not kept: a later call must not take it for the right one.
void check_hash(const ZooEntry& entry, const FetchReport& file) {
  if (entry.sha256.empty() || entry.sha256 == file.sha256) return;
  http::remove_download(file.file);
  throw Exception(Code::corrupt, public_url(entry.url) + ": its SHA-256 is " + file.sha256 + ", not " + entry.sha256 +
                                     "; what came was removed");
}

// What cannot be used stays, since it was dear to fetch; the message says so.
template <class Run>
auto keeping(const FetchReport& file, const std::string& advice, const Run& run) {
  try {
    return run();
  } catch (const Exception& e) {
    if (e.code() != Code::corrupt) throw;
    throw Exception(Code::corrupt, std::string(e.what()) + ". The download is kept: remove " + file.file.string() +
                                       " to fetch it again" + advice);
  }
}

model::FitResult make_model(const Context& context, const ZooEntry& entry, const model::Recipe& recipe,
                            const FetchReport& file) {
  const Import how{.file = file.file,
                   .recipe = recipe,
                   .vocabulary = entry.vocabulary,
                   .folder = model_folder(context.home(), entry),
                   .name = entry.name,
                   .demand = Demand::net,
                   .trained = {{"imported", fs::path(public_url(entry.url)).filename().string()},
                               {"url", public_url(entry.url)},
                               {"sha256", file.sha256},
                               {"bytes", file.bytes}}};
  const auto checkpoint = keeping(file, "", [&] { return model::read_checkpoint(file.file); });
  return keeping(file, ", or take what fits with reeltag models import-checkpoint",
                 [&] { return import_checkpoint(context, checkpoint, how); });
}

ordered_json result_of(const ZooEntry& entry, const fs::path& folder, const nlohmann::json& trained) {
  ordered_json out{{"model", entry.name}, {"folder", folder.string()}};
  for (const char* key : {"url", "sha256", "bytes"}) {
    if (trained.contains(key)) out[key] = trained[key];
  }
  return out;
}

// The second call. A hash that was asked for holds for what is there, too.
void say_that_it_is_here(const Context& context, const ZooEntry& entry, const fs::path& folder) {
  const auto trained =
      value_or_throw(parse_json(model::load_bundle(folder).trained, (folder / "bundle.json").string()));
  const ordered_json out = result_of(entry, folder, trained);
  if (!entry.sha256.empty() && out.value("sha256", "") != entry.sha256) {
    throw Exception(Code::already_exists, folder.string() + " was not made of a file with the SHA-256 " + entry.sha256 +
                                              "; remove the folder to fetch it again");
  }
  if (!context.json) return print(entry.name + " is here already: " + folder.string());
  ordered_json there = out;
  there["resumed"] = 0;
  there["already"] = true;
  print(there.dump());
}

void print_result(const Context& context, const ZooEntry& entry, const FetchReport& file,
                  const model::FitResult& fitted) {
  if (!context.json) {
    print("  " + megabytes(file.bytes) + " from " + public_url(entry.url) +
          (file.resumed > 0 ? ", " + megabytes(file.resumed) + " of them by an earlier call" : ""));
    print("  SHA-256 " + file.sha256 +
          (entry.sha256.empty() ? "; --sha256 checks it on other machines" : ", as asked"));
    return print(entry.vocabulary.empty()
                     ? "  its classes have no names: fine-tune it, reeltag train --from " + entry.name
                     : "  tag with it: reeltag tag --model " + entry.name + " CLIP.mp4");
  }
  const ordered_json trained{{"url", public_url(entry.url)}, {"sha256", file.sha256}, {"bytes", file.bytes}};
  ordered_json out = result_of(entry, model_folder(context.home(), entry), trained);
  out["resumed"] = file.resumed;
  out["already"] = false;
  out["counts"] = to_json(fitted)["counts"];
  print(out.dump());
}

}  // namespace

void run_fetch(Context& context, const FetchArguments& a) {
  context.start();
  const ZooEntry entry = wanted(a);
  const fs::path folder = model_folder(context.home(), entry);
  if (fs::exists(folder / "bundle.json")) return say_that_it_is_here(context, entry, folder);
  // What is wrong with the recipe or the names is said before anything is downloaded.
  const model::Recipe recipe = recipe_of(entry);
  static_cast<void>(vocabulary_of(entry.vocabulary, recipe.model.num_classes));
  const FetchReport file = download(context, entry);
  check_hash(entry, file);
  const auto fitted = make_model(context, entry, recipe, file);
  http::remove_download(file.file);
  print_result(context, entry, file, fitted);
}

}  // namespace reeltag::app
