#include <algorithm>
#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "commands/indexing.hpp"
#include "commands/videos.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "run/tag_video.hpp"

namespace reeltag::app {
namespace {

// Who tagged, and by which thresholds: tags by others are made anew.
index::Model model_with(const std::filesystem::path& bundle, const std::optional<double>& threshold) {
  auto model = model_in(bundle);
  if (!threshold) return model;
  char text[32];
  std::snprintf(text, sizeof text, "threshold %g", *threshold);
  model.version += (model.version.empty() ? "" : ", ") + std::string(text);
  return model;
}

// The same way in as for a line of `index add --tags`.
void put(index::Index& index, const std::string& video, const index::Model& model, const tag::TagResult& tagged) {
  const auto json = value_or_throw(parse_json(tag::to_json(tagged), tagged.video));
  auto prediction = value_or_throw(index::tag_line(json, tagged.video)).prediction;
  prediction.video = video;
  prediction.model = model;
  index.put_predictions({&prediction, 1});
}

Result<tag::TagResult> tag_stored(tag::Tagger& tagger, const Context& context, store::Store& store,
                                  const std::string& key) {
  const auto file = store::find_local(store, key);
  if (!file) return fail(file.error());
  return tagger.tag(*file, context.config().media);
}

// Counts one video; false when it failed.
bool counted(Context& context, const std::string& video, const Result<tag::TagResult>& tagged, IndexReport& counts) {
  if (!tagged && tagged.error().code == Code::interrupted) throw Exception(tagged.error());
  if (!tagged) context.item_failed(video, tagged.error());
  ++(tagged ? counts.indexed : counts.failed);
  return tagged.has_value();
}

}  // namespace

void run_index_add(Context& context, const IndexArguments& a) {
  context.start();
  if (std::find(a.files.begin(), a.files.end(), "-") != a.files.end()) {
    throw Exception(Code::invalid_argument, "index add: a video on standard input has no name to be found by");
  }
  const auto bundle = find_model(context.home(), a.model);
  const auto model = model_with(bundle, a.threshold);
  const auto catalog = context.open_catalog();
  const auto index = context.open_index(index::Missing::create);
  const auto videos = videos_of(context, a.files);
  IndexReport counts;
  tag::Tagger tagger(bundle, context.config().tag, a.threshold);
  std::optional<Progress> progress;
  if (videos.size() > 20) progress.emplace("index", static_cast<std::int64_t>(videos.size()));
  for (const auto& video : videos) {
    stop::throw_if_requested();
    const auto listed = list_video(*catalog, video);
    if (listed.forgotten) {
      refuse_forgotten(context, video, counts);
    } else if (const auto tagged = tag_video(tagger, context, video); counted(context, video, tagged, counts)) {
      if (listed.texts) index->put_texts({&*listed.texts, 1});
      put(*index, listed.video, model, *tagged);
    }
    if (progress) progress->advance();
  }
  progress.reset();
  print_indexed(context, counts, *index);
}

void run_index_build(Context& context, const IndexArguments& a) {
  context.start();
  const auto bundle = find_model(context.home(), a.model);
  const auto model = model_with(bundle, a.threshold);
  const auto catalog = context.open_catalog();
  const auto store = context.open_store();
  const auto index = context.open_index(index::Missing::create);
  IndexReport counts{.already = put_catalog_texts(*catalog, *index)};
  std::vector<std::pair<std::string, std::string>> waiting;  // id, key
  catalog->videos.each({}, [&](const catalog::Video& video) {
    if (!index->predicted_by(video.id, model)) waiting.emplace_back(video.id, video.key);
  });
  const auto total = counts.already;
  counts.already -= static_cast<std::int64_t>(waiting.size());
  if (waiting.empty()) return print_indexed(context, counts, *index);
  tag::Tagger tagger(bundle, context.config().tag, a.threshold);
  std::optional<Progress> progress;
  if (waiting.size() > 20) progress.emplace("index", total, Progress::Options{.start = counts.already});
  for (const auto& [id, key] : waiting) {
    stop::throw_if_requested();
    const auto tagged = tag_stored(tagger, context, *store, key);
    if (counted(context, id, tagged, counts)) put(*index, id, model, *tagged);
    if (progress) progress->update(counts.already + counts.indexed + counts.failed);
  }
  progress.reset();
  print_indexed(context, counts, *index);
}

}  // namespace reeltag::app
