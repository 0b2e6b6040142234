// Selects the videos that the report shows, and adds their pictures. Private. Functions, any thread.
#pragma once

#include <string>
#include <unordered_map>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

// Fills best and worst from the samples, ordered by the lowest score of a true hashtag minus the highest of a false
// one; above 0, every true hashtag ranks before every false one. Of the best, at most two share their first hashtag, so
// that one easy hashtag does not fill the row.
void pick_examples(Evaluation& evaluation);

// Adds captions and each video's middle frame, from the dataset's items. A video that cannot be read gets no picture.
void illustrate(std::vector<Example>& examples, const std::unordered_map<std::string, const dataset::Item*>& items,
                store::Store& store, const media::Limits& limits);

}  // namespace reeltag::evaluate
