// Which videos the report shows, and their pictures. Functions, any thread.
#pragma once

#include <string>
#include <unordered_map>

#include "reeltag/evaluate.hpp"

namespace reeltag::evaluate {

// Fills best and worst from the samples: videos ordered by the lowest score of a true hashtag less the highest of a
// false one. Above 0 every true hashtag stands before every false one. Best ones: at most two with the same first
// hashtag, so that one easy hashtag does not fill the row.
void pick_examples(Evaluation& evaluation);

// Adds captions, and the middle frame of each, by the dataset's items. A video that cannot be read stays without.
void illustrate(std::vector<Example>& examples, const std::unordered_map<std::string, const dataset::Item*>& items,
                store::Store& store, const media::Limits& limits);

}  // namespace reeltag::evaluate
