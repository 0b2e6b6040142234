// What was found, as the text of an answer. Any thread.
#pragma once

#include <string>
#include <vector>

#include "forms.hpp"

namespace reeltag::serve::sagemaker {

struct Found {
  std::string name;
  Result<tag::Tagged> tagged;
};

// JSON: the object of `reeltag tag --json`, with "hurried":true where a deadline cost views; of many
// {"predictions":[...]}. JSON Lines: an object a line. CSV: video,status,duration and then hashtag,score by turns, a
// line a video; status is ok, unsure or the error's code. What failed is {"video","error":{"code","message"}}.
std::string text_of(const std::vector<Found>& found, bool many, Form form);

}  // namespace reeltag::serve::sagemaker
