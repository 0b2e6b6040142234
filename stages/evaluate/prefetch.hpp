// Decodes videos ahead of the network. Worker threads open each video and decode the frames that the model asks for;
// next() hands them out in order.
// One thread calls next(); owns its workers and joins them in the destructor. At most `threads` + 1 decoded videos
// wait. What a video does wrong comes back as its Result; an Exception of the store (a lost blob) does too, with its
// code.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reeltag/evaluate.hpp"
#include "reeltag/model/extractor.hpp"

namespace reeltag::evaluate {

// What the model reads of a video of this length. Called by several threads at once.
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
  // keys in the order of next(). The store outlives this.
  Prefetch(std::vector<std::string> keys, ChooseFrames choose_frames, const EvaluateOptions& options,
           store::Store& store);
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  // Of the next key; not after the last.
  Result<DecodedVideo> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reeltag::evaluate
