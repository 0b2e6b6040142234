// Catalog queries: fingerprints and clusters.
#include "check_video.hpp"
#include "sql_catalog.hpp"

namespace reeltag::catalog {
namespace {

const std::string kSelectKin =
    "SELECT v.id, v.store_key, v.split_group, v.author, v.created, f.frames, f.cluster_name FROM video v "
    "LEFT JOIN fingerprint f ON f.video_row = v.row_no ORDER BY v.row_no";
const std::string kPutFingerprint =
    "INSERT INTO fingerprint (video_row, frames, cluster_name) SELECT row_no, $2, '' FROM video WHERE id = $1 "
    "ON CONFLICT (video_row) DO UPDATE SET frames = excluded.frames";
const std::string kPutCluster =
    "UPDATE fingerprint SET cluster_name = $2 WHERE video_row = (SELECT row_no FROM video WHERE id = $1)";

}  // namespace

void SqlCatalog::each_grouping(const std::function<void(const SplitGrouping&)>& visit) {
  const Turn turn(*this);
  auto rows = database_.stream_with(kSelectKin, {});
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

void SqlCatalog::put_fingerprint(std::string_view video, std::string_view fingerprint) {
  database_.query(kPutFingerprint, video, fingerprint).step();
}

void SqlCatalog::put_fingerprints(std::span<const std::pair<std::string, std::string>> fingerprints) {
  for (const auto& [video, text] : fingerprints) {
    check_text(video, "a video's id");
    check_text(text, "the fingerprint of video " + video);
  }
  const Turn turn(*this);
  Transaction transaction(database_);
  for (const auto& [video, text] : fingerprints) put_fingerprint(video, text);
  transaction.commit();
}

void SqlCatalog::put_clusters(std::span<const std::pair<std::string, std::string>> clusters) {
  for (const auto& [video, text] : clusters) {
    check_text(video, "a video's id");
    check_text(text, "the cluster of video " + video);
  }
  const Turn turn(*this);
  Transaction transaction(database_);
  for (const auto& [video, text] : clusters) database_.query(kPutCluster, video, text).step();
  transaction.commit();
}

}  // namespace reeltag::catalog
