#include "sql_rows.hpp"

#include <limits>
#include <nlohmann/json.hpp>

namespace reeltag::catalog {
namespace {

constexpr int kIdColumn = 0;
constexpr int kTypedColumn = 16;

int to_int(std::int64_t value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    throw Exception(Code::corrupt, "the catalog holds a width or height of " + std::to_string(value));
  }
  return static_cast<int>(value);
}

// The row's facts; leaves hashtags empty.
Video video_of(const Query& row) {
  Video video;
  video.id = row.text(kIdColumn);
  video.key = row.text(1);
  video.source = row.text(2);
  video.source_id = row.text(3);
  video.group = row.text(4);
  video.author = row.text(5);
  video.caption = row.text(6);
  if (!row.is_null(7)) video.created = row.integer(7);
  video.duration = row.real(8);
  video.width = to_int(row.integer(9));
  video.height = to_int(row.integer(10));
  video.fps = row.real(11);
  video.codec = row.text(12);
  video.size_bytes = row.integer(13);
  video.attributes = row.text(14);
  video.added = row.integer(15);
  return video;
}

std::vector<std::string> list_of(std::string_view text, const std::string& post) {
  const auto list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_array()) throw Exception(Code::corrupt, "post " + post + " of the catalog has no hashtags");
  std::vector<std::string> out;
  for (const auto& one : list) out.push_back(one.get<std::string>());
  return out;
}

}  // namespace

void each_video(Query& rows, const std::function<void(const Video&)>& visit) {
  std::optional<Video> video;
  while (rows.step()) {
    if (!video || rows.text_view(kIdColumn) != video->id) {
      if (video) visit(*video);
      video = video_of(rows);
    }
    if (!rows.is_null(kTypedColumn)) video->hashtags.push_back(rows.text(kTypedColumn));
  }
  if (video) visit(*video);
}

Post post_of(const Query& row) {
  Post post{.site = row.text(0),
            .id = row.text(1),
            .source = row.text(2),
            .video = row.text(3),
            .outcome = row.text(4),
            .round = row.integer(5),
            .author = row.text(6),
            .caption = row.text(7),
            .hashtags = list_of(row.text_view(8), row.text(1)),
            .created = std::nullopt,
            .attributes = row.text(10),
            .seen = row.integer(11)};
  if (!row.is_null(9)) post.created = row.integer(9);
  return post;
}

std::string text_of_list(const std::vector<std::string>& list) { return nlohmann::json(list).dump(); }

}  // namespace reeltag::catalog
