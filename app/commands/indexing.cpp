#include "commands/indexing.hpp"

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/ids.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTextBatch = 1000;  // rows of one transaction

index::Texts texts_of(const catalog::Video& video) {
  return {.video = video.id, .caption = video.caption, .typed = video.hashtags};
}

bool is_id(const std::string& text) { return is_hex(text, 64); }

}  // namespace

void print_indexed(const Context& context, const IndexReport& n, index::Index& index) {
  const auto videos = index.stats().videos;
  if (context.json) {
    return print(
        nlohmann::ordered_json{{"indexed", n.indexed}, {"already", n.already}, {"failed", n.failed}, {"videos", videos}}
            .dump());
  }
  print("indexed " + std::to_string(n.indexed) + ", already there " + std::to_string(n.already) + ", failed " +
        std::to_string(n.failed) + "; the index has " + std::to_string(videos) + " videos");
}

LibraryEntry list_video(catalog::Catalog& catalog, const std::string& name) {
  const auto known = [&](const std::string& id) -> std::optional<LibraryEntry> {
    if (catalog.tombstones.holds(catalog::Forgettable::video, id)) return LibraryEntry{.video = id, .forgotten = true};
    const auto video = catalog.videos.get(id);
    if (!video) return std::nullopt;
    return LibraryEntry{.video = video->id, .texts = texts_of(*video)};
  };
  // A file in the store is named by its id.
  if (const auto stem = fs::path(name).stem().string(); is_id(stem)) {
    if (const auto listed = known(stem)) return *listed;
  }
  std::error_code error;
  if (http::is_url(name) || !fs::is_regular_file(name, error)) return {.video = name};
  if (const auto digest = sha256_file(name)) {
    if (const auto listed = known(hex(*digest))) return *listed;
  }
  return {.video = fs::absolute(name).lexically_normal().string()};
}

void refuse_forgotten(Context& context, const std::string& name, IndexReport& counts) {
  ++counts.failed;
  context.item_failed(name, {Code::permission_denied, "forgotten: it was forgotten (reeltag forget) and gets no row"});
}

std::int64_t put_catalog_texts(catalog::Catalog& catalog, index::Index& index) {
  std::vector<index::Texts> batch;
  std::int64_t videos = 0;
  catalog.videos.each({}, [&](const catalog::Video& video) {
    ++videos;
    batch.push_back(texts_of(video));
    if (batch.size() < kTextBatch) return;
    index.put_texts(batch);
    batch.clear();
  });
  index.put_texts(batch);
  return videos;
}

index::Model model_in(const fs::path& bundle) {
  constexpr std::int64_t kMaxBytes = 64 << 20;
  const auto path = bundle / "bundle.json";
  const auto text = value_or_throw(read_file(path, kMaxBytes));
  const auto json = value_or_throw(parse_json(text, path.string()));
  if (!json.is_object() || !json.contains("name") || !json["name"].is_string()) {
    throw Exception(Code::corrupt, path.string() + ": no model's name in it");
  }
  return {.name = json["name"].get<std::string>(), .version = content_id(text)};
}

}  // namespace reeltag::app
