// Computes the features of a dataset's videos once and caches them in the store (docs/adr/0058-feature-blocks.md).
// Private. A function, any thread; it starts and joins its own threads.
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
  std::vector<std::vector<float>> rows;  // one per item, in order; empty for a video that failed
  std::vector<model::Extractor::Block> blocks;
  std::vector<Failure> failed;
  std::int64_t kept = 0, computed = 0;  // videos
  double seconds_computing = 0.0;       // wall clock
  double seconds_saved = 0.0;           // time that cached features would have taken
};

struct FeatureRequest {
  std::vector<std::string> blocks;  // names of model::Extractor
  int image_frames = 4;
  std::filesystem::path net, image_encoder;  // as model::Extractor takes them
  media::Limits limits;
  int threads = 2;  // each with its own nets, on one core
  std::stop_token stop;
};

// Loads what the store has, computes the rest and stores it. The net's and the image encoder's features are stored
// separately, so a new net reuses the image encoder's. Columns are in the order of the blocks. Shows progress. Throws
// what model::Extractor throws, and interrupted; all finished features are kept.
FeatureTable features_of(const std::vector<dataset::Item>& items, store::Store& store, const FeatureRequest& request);

}  // namespace reeltag::train
