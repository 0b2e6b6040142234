#include "check_video.hpp"
#include "connection.hpp"
#include "must_exist.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/catalog/service.hpp"
#include "reeltag/hashtag.hpp"

namespace reeltag::catalog {
namespace {

const std::string kPutTagging =
    "INSERT INTO tagging (video, model, made, result) SELECT id, $2, CAST($3 AS BIGINT), $4 FROM video WHERE id = $1 "
    "ON CONFLICT (video) DO UPDATE SET model = excluded.model, made = excluded.made, result = excluded.result "
    "RETURNING video";
const std::string kDropTagged = "DELETE FROM tagging_hashtag WHERE video = $1";
const std::string kPutTagged =
    "INSERT INTO tagging_hashtag (name, video) VALUES ($1, $2) ON CONFLICT (name, video) DO NOTHING";
const std::string kTagging = "SELECT model, result FROM tagging WHERE video = $1";

}  // namespace

Taggings::Taggings(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

void Taggings::put(std::string_view video, std::string_view model, std::string_view result,
                   std::span<const std::string> sure) {
  check_text(result, "what was found in a video");
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  must_exist(database->query(kPutTagging, video, model, unix_seconds(), result), video);
  database->query(kDropTagged, video).step();
  for (const auto& hashtag : sure) database->query(kPutTagged, hashtag::fold(hashtag), video).step();
  transaction.commit();
}

std::optional<Tagging> Taggings::find(std::string_view video) {
  const Connection::Use database(*connection_);
  auto row = database->query(kTagging, video);
  if (!row.step()) return std::nullopt;
  return Tagging{row.text(0), row.text(1)};
}

}  // namespace reeltag::catalog
