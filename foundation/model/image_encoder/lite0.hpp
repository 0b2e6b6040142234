// EfficientNet-Lite0 for one picture of 224 x 224 as a graph. Private; the public interface is model/image_encoder.hpp.
// A function, any thread. Throws Exception (not_found, corrupt) for weights of another net.
//
//   picture [1,3,224,224] -> stem 3x3/2 [32,112,112] -> 16 inverted bottlenecks [320,7,7] -> 1x1 [1280,7,7] -> mean
//   bottleneck: 1x1 expansion by 6, depthwise k x k convolution, 1x1 projection; plus its input where shapes agree
//
// Source: EfficientNet (arXiv:1905.11946, table 1). Lite omits squeeze-and-excitation and replaces swish by ReLU6:
// tensorflow/tpu models/official/efficientnet/lite. Weights' names: PyPI efficientnet-lite-pytorch 0.1.0.
#pragma once

#include "reeltag/infer.hpp"
#include "reeltag/model/weights.hpp"

namespace reeltag::model {

// Input "picture" [1,3,224,224]; outputs "features" [1,1280] and "logits" [1,1000].
infer::Graph lite0_graph(const Weights& weights);

}  // namespace reeltag::model
