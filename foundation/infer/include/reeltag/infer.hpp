// Computes nets on the CPU: a graph of operations is compiled for its shapes and the processor, by OpenVINO
// (docs/adr/0059). No libtorch.
//
// Graph is a value that shares its operations; its functions are thread-safe. CompiledNet is thread-safe:
// calls at the same time have working memory of their own, and the threads of Options are shared by all of them. It
// owns the compiled code and a copy of the weights. Engine errors, and values whose name or size is not the graph's,
// throw Exception (internal, invalid_argument).
//
//   const infer::CompiledNet net(model::mvit_graph(plan, weights, size), {.threads = 2});
//   net.run({{"clips", clips}}, {{"logits", logits}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/base/error.hpp"

namespace ov {
class Model;
}

namespace reeltag::infer {

using Shape = std::vector<std::int64_t>;

// float32 is within 1e-5 of a float64 computation of the same net; bfloat16 has three decimal digits, and is faster
// where the processor computes in it.
enum class Precision { float32, bfloat16 };
[[nodiscard]] std::string_view name_of(Precision precision) noexcept;

// An input or output of a graph: float32, row by row.
struct Port {
  std::string name;
  Shape shape;

  [[nodiscard]] std::size_t count() const noexcept;  // values
};

class Graph {
 public:
  explicit Graph(std::shared_ptr<ov::Model> model);  // all shapes fixed; float32 inputs and outputs, each with a name

  [[nodiscard]] const std::vector<Port>& inputs() const noexcept { return inputs_; }
  [[nodiscard]] const std::vector<Port>& outputs() const noexcept { return outputs_; }
  [[nodiscard]] const std::shared_ptr<ov::Model>& model() const noexcept { return model_; }

 private:
  std::shared_ptr<ov::Model> model_;
  std::vector<Port> inputs_, outputs_;
};

struct Options {
  Precision precision = Precision::float32;
  int threads = 1;  // 0: one per core
};

// Memory of the caller for the values of a port.
struct Input {
  std::string_view port;
  std::span<const float> values;
};
struct Output {
  std::string_view port;
  std::span<float> values;
};

// Time of each kind of operation in the last run, for profiles.
struct OperationTime {
  std::string kind, kernel;
  double seconds = 0.0;
};

class CompiledNet {
 public:
  CompiledNet(const Graph& graph, const Options& options, bool profile = false);
  ~CompiledNet();
  CompiledNet(CompiledNet&&) noexcept;
  CompiledNet& operator=(CompiledNet&&) noexcept;

  // Every input, and the outputs that are wanted.
  void run(std::span<const Input> inputs, std::span<const Output> outputs) const;
  void run(std::initializer_list<Input> inputs, std::initializer_list<Output> outputs) const {
    run(std::span(inputs.begin(), inputs.size()), std::span(outputs.begin(), outputs.size()));
  }
  // With profile: the operations of the last run by kind, dearest first.
  [[nodiscard]] std::vector<OperationTime> profile() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reeltag::infer
