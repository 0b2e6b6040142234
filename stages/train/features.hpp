// The features of a dataset's videos, computed once and kept in the store (docs/adr/0058-feature-blocks.md).
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "reeltag/dataset.hpp"
#include "reeltag/media.hpp"
#include "reeltag/model/extractor.hpp"
#include "reeltag/store.hpp"
#include "reeltag/train.hpp"

namespace reeltag::train {

struct FeatureTable {
  std::vector<std::vector<float>> rows;  // of the items, in their order; empty for a video that failed
  std::vector<model::Extractor::Block> blocks;
  std::vector<Failure> failed;
  std::int64_t kept = 0, computed = 0;  // videos
  double seconds_computing = 0.0;       // wall clock
  double seconds_saved = 0.0;           // that what was kept would have taken
};

struct FeatureRequest {
  std::vector<std::string> blocks;  // names of model::Extractor
  int image_frames = 4;
  std::filesystem::path net, image_encoder;  // as model::Extractor takes them
  media::Limits limits;
  int threads = 2;  // each with nets of its own, on one core
  std::stop_token stop;
};

// Takes what the store has, computes the rest and puts it there: the net's and the image encoder's apart, so that a new
// net finds the image encoder's features there. The columns stand in the order of the blocks. Shows progress. Throws
// what model::Extractor throws, and interrupted, with all that was finished kept.
FeatureTable features_of(const std::vector<dataset::Item>& items, store::Store& store, const FeatureRequest& request);

}  // namespace reeltag::train
