// Decodes videos ahead of the net. Worker threads open each video and decode the requested frames; next() returns the
// results in order. Private.
// One thread calls next(). Owns its workers and joins them in the destructor. At most `threads` + 1 decoded videos are
// buffered. A failure of one video, including an Exception of the store (a lost blob), is returned as its Result.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reeltag/evaluate.hpp"
#include "reeltag/model/extractor.hpp"

namespace reeltag::evaluate {

// The views and frames that the model needs from a video of this duration. Called concurrently by several threads.
struct Request {
  std::vector<model::View> views;
  model::Extractor::FramePlan wanted;
};
using ChooseFrames = std::function<Request(double duration)>;

struct DecodedVideo {
  std::vector<model::View> views;
  media::Frames frames;
};

class Prefetch {
 public:
  // keys are returned by next() in this order. The store must outlive this object.
  Prefetch(std::vector<std::string> keys, ChooseFrames choose_frames, const EvaluateOptions& options,
           store::Store& store);
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  // The next key's video; must not be called after the last.
  Result<DecodedVideo> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reeltag::evaluate
