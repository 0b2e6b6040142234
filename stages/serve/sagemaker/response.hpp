// Formats tagging results as the body of a response. Function, any thread. Cannot fail.
#pragma once

#include <string>
#include <vector>

#include "media_type.hpp"

namespace reeltag::serve::sagemaker {

struct VideoResult {
  std::string name;
  Result<tag::TagResult> tagged;
};

// JSON: the object of `reeltag tag --json`, with "partial":true if the deadline reduced the views; for many
// {"predictions":[...]}. JSON Lines: an object per line. CSV: a line per video, with video,status,duration followed by
// hashtag,score pairs; status is ok, unsure or the error's code. A failed video is
// {"video","error":{"code","message"}}.
std::string text_of(const std::vector<VideoResult>& found, bool many, MediaType media_type);

}  // namespace reeltag::serve::sagemaker
