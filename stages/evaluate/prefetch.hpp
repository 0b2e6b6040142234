// Decodes videos ahead of the network. Worker threads open each video and decode the frames that the predictor is about
// to ask for; next() hands them out in order as decoders that already hold those frames.
// One thread calls next(); owns its workers and joins them in the destructor. At most `threads` + 1 decoded videos
// wait. What a video does wrong comes back as its Result; an Exception of the store (a lost blob) does too, with its
// code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reeltag/evaluate.hpp"
#include "reeltag/model/input.hpp"

namespace reeltag::evaluate {

struct Fetched {
  std::unique_ptr<media::Decoder> video;
  std::vector<model::View> views;
};

class Prefetch {
 public:
  // keys in the order of next(). spec: what the predictor reads of a view. The store outlives this.
  Prefetch(std::vector<std::string> keys, const model::ClipSpec& spec, const EvaluateOptions& options,
           store::Store& store);
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  // Of the next key; not after the last.
  Result<Fetched> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The views of a video of this length that the options ask for.
std::vector<model::View> views_of(double duration, const EvaluateOptions& options);

}  // namespace reeltag::evaluate
