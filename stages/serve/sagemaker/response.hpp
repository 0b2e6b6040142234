// What was found, as the text of an answer. Any thread.
#pragma once

#include <string>
#include <vector>

#include "media_type.hpp"

namespace reeltag::serve::sagemaker {

struct VideoResult {
  std::string name;
  Result<tag::TagResult> tagged;
};

// JSON: the object of `reeltag tag --json`, with "partial":true where a deadline cost views; of many
// {"predictions":[...]}. JSON Lines: an object a line. CSV: video,status,duration and then hashtag,score by turns, a
// line a video; status is ok, unsure or the error's code. What failed is {"video","error":{"code","message"}}.
std::string text_of(const std::vector<VideoResult>& found, bool many, MediaType media_type);

}  // namespace reeltag::serve::sagemaker
