// Converts result rows to values. Private to the catalog. One thread per result.
#pragma once

#include <functional>
#include <string>

#include "reeltag/catalog.hpp"
#include "sql_types.hpp"

namespace reeltag::catalog {

// Selects video v and its hashtags l: one row per hashtag, in order; one row with NULL for a video without any. Append
// WHERE and an ORDER BY that keeps the rows of a video together.
inline const std::string kSelectVideos =
    "SELECT v.id, v.store_key, v.source, v.source_id, v.split_group, v.author, v.caption, v.created, v.duration, "
    "v.width, v.height, v.fps, v.codec, v.size_bytes, v.attributes, v.added, l.typed "
    "FROM video v LEFT JOIN video_hashtag l ON l.video_row = v.row_no ";

// Calls visit for each video in such a result.
void each_video(Query& rows, const std::function<void(const Video&)>& visit);

inline const std::string kSelectPosts =
    "SELECT site, id, source, video, outcome, round_no, author, caption, hashtags, created, attributes, seen FROM "
    "post ";
Post post_of(const Query& row);

// Encodes a list of texts for a column.
std::string text_of_list(const std::vector<std::string>& list);

}  // namespace reeltag::catalog
