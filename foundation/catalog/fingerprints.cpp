// The table of fingerprints and clusters.
#include "check_video.hpp"
#include "connection.hpp"
#include "reeltag/catalog/tables.hpp"
#include "table_rows.hpp"

namespace reeltag::catalog {
namespace {

const std::string kSelectGroupings =
    "SELECT v.id, v.store_key, v.split_group, v.author, v.created, f.frames, f.cluster_name FROM video v "
    "LEFT JOIN fingerprint f ON f.video_row = v.row_no ORDER BY v.row_no";
const std::string kPutFingerprint =
    "INSERT INTO fingerprint (video_row, frames, cluster_name) SELECT row_no, $2, '' FROM video WHERE id = $1 "
    "ON CONFLICT (video_row) DO UPDATE SET frames = excluded.frames";
const std::string kPutCluster =
    "UPDATE fingerprint SET cluster_name = $2 WHERE video_row = (SELECT row_no FROM video WHERE id = $1)";

}  // namespace

Fingerprints::Fingerprints(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

void Fingerprints::each(const std::function<void(const SplitGrouping&)>& visit) {
  const Connection::Use database(*connection_);
  auto rows = database->stream_with(kSelectGroupings, {});
  while (rows.step()) {
    SplitGrouping grouping{.video = rows.text(0),
                           .key = rows.text(1),
                           .group = rows.text(2),
                           .author = rows.text(3),
                           .fingerprint = {},
                           .cluster = rows.text(6),
                           .created = {}};
    if (!rows.is_null(4)) grouping.created = rows.integer(4);
    if (!rows.is_null(5)) grouping.fingerprint = rows.text(5);
    visit(grouping);
  }
}

void put_fingerprint(Database& database, std::string_view video, std::string_view fingerprint) {
  database.query(kPutFingerprint, video, fingerprint).step();
}

void Fingerprints::put(std::span<const std::pair<std::string, std::string>> fingerprints) {
  for (const auto& [video, text] : fingerprints) {
    check_text(video, "a video's id");
    check_text(text, "the fingerprint of video " + video);
  }
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  for (const auto& [video, text] : fingerprints) put_fingerprint(*database, video, text);
  transaction.commit();
}

void Fingerprints::put_clusters(std::span<const std::pair<std::string, std::string>> clusters) {
  for (const auto& [video, text] : clusters) {
    check_text(video, "a video's id");
    check_text(text, "the cluster of video " + video);
  }
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  for (const auto& [video, text] : clusters) database->query(kPutCluster, video, text).step();
  transaction.commit();
}

}  // namespace reeltag::catalog
