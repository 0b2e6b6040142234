#include "reeltag/infer.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <numeric>
#include <utility>

#include <openvino/openvino.hpp>

namespace reeltag::infer {
namespace {

// One for the process: it loads the plugin, and starts no thread before a net is compiled.
ov::Core& core() {
  static ov::Core one;
  return one;
}

// Converts the engine's errors to Exception.
template <class Run>
auto guarded(Code code, const std::string& what, const Run& run) {
  try {
    return run();
  } catch (const ov::Exception& e) {
    throw Exception(code, what + ": " + e.what());
  }
}

Port port_of(const ov::Output<ov::Node>& node) {
  const auto& names = node.get_names();
  if (names.empty() || node.get_partial_shape().is_dynamic() || node.get_element_type() != ov::element::f32)
    throw Exception(Code::unsupported, "a graph's inputs and outputs have a name, a fixed shape and float32 values");
  Port port{.name = *std::min_element(names.begin(), names.end()), .shape = {}};
  for (const auto axis : node.get_shape()) port.shape.push_back(static_cast<std::int64_t>(axis));
  return port;
}

const Port& find(const std::vector<Port>& ports, std::string_view name, std::size_t count) {
  for (const auto& port : ports) {
    if (port.name != name) continue;
    if (port.count() == count) return port;
    throw Exception(Code::invalid_argument, "the net's " + port.name + " has " + std::to_string(port.count()) +
                                                " values, not " + std::to_string(count));
  }
  throw Exception(Code::invalid_argument, "the net has no input or output " + std::string(name));
}

// A view of the caller's memory. The engine only reads inputs, though its type has no const form.
ov::Tensor tensor_of(const Port& port, const float* values) {
  return {ov::element::f32, ov::Shape(port.shape.begin(), port.shape.end()), const_cast<float*>(values)};
}

}  // namespace

std::string_view name_of(Precision precision) noexcept {
  return precision == Precision::float32 ? "float32" : "bfloat16";
}

std::size_t Port::count() const noexcept {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, [](std::size_t product, std::int64_t axis) {
    return product * static_cast<std::size_t>(axis);
  });
}

Graph::Graph(std::shared_ptr<ov::Model> model) : model_(std::move(model)) {
  for (const auto& input : model_->inputs()) inputs_.push_back(port_of(input));
  for (const auto& output : model_->outputs()) outputs_.push_back(port_of(output));
}

namespace {

// Working memory for one call at a time.
struct Request {
  ov::InferRequest engine;
  // A place for each output that a caller does not want. Without it the engine would go on writing where the last
  // caller that wanted it had its memory.
  std::vector<ov::Tensor> unwanted;
};

}  // namespace

struct CompiledNet::Impl {
  std::vector<Port> inputs, outputs;
  ov::CompiledModel net;
  bool profile = false;
  std::mutex mutex;  // of what follows
  std::vector<Request> idle;
  std::vector<OperationTime> times;

  Request take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) {
      Request request{.engine = net.create_infer_request(), .unwanted = {}};
      for (const auto& port : outputs) request.unwanted.push_back(request.engine.get_tensor(port.name));
      return request;
    }
    Request request = std::move(idle.back());
    idle.pop_back();
    return request;
  }

  void keep_times(const ov::InferRequest& request) {
    std::map<std::pair<std::string, std::string>, double> by_kind;
    for (const auto& node : request.get_profiling_info())
      by_kind[{node.node_type, node.exec_type}] += std::chrono::duration<double>(node.real_time).count();
    times.clear();
    for (const auto& [kind, seconds] : by_kind) times.push_back({kind.first, kind.second, seconds});
    std::sort(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  }
};

CompiledNet::CompiledNet(const Graph& graph, const Options& options, bool profile) : impl_(std::make_unique<Impl>()) {
  impl_->inputs = graph.inputs();
  impl_->outputs = graph.outputs();
  impl_->profile = profile;
  impl_->net = guarded(Code::internal, "compiling a net", [&] {
    return core().compile_model(
        graph.model(), "CPU", ov::inference_num_threads(options.threads), ov::num_streams(1),
        ov::hint::enable_cpu_pinning(false), ov::enable_profiling(profile),
        ov::hint::inference_precision(options.precision == Precision::float32 ? ov::element::f32 : ov::element::bf16));
  });
}
CompiledNet::~CompiledNet() = default;
CompiledNet::CompiledNet(CompiledNet&&) noexcept = default;
CompiledNet& CompiledNet::operator=(CompiledNet&&) noexcept = default;

void CompiledNet::run(std::span<const Input> inputs, std::span<const Output> outputs) const {
  if (inputs.size() != impl_->inputs.size()) throw Exception(Code::invalid_argument, "the net wants all of its inputs");
  guarded(Code::internal, "computing a net", [&] {
    Request request = impl_->take();
    ov::InferRequest& engine = request.engine;
    for (const auto& [name, values] : inputs)
      engine.set_tensor(std::string(name), tensor_of(find(impl_->inputs, name, values.size()), values.data()));
    for (std::size_t i = 0; i < impl_->outputs.size(); ++i)
      engine.set_tensor(impl_->outputs[i].name, request.unwanted[i]);
    for (const auto& [name, values] : outputs)
      engine.set_tensor(std::string(name), tensor_of(find(impl_->outputs, name, values.size()), values.data()));
    engine.infer();
    const std::lock_guard lock(impl_->mutex);
    if (impl_->profile) impl_->keep_times(engine);
    impl_->idle.push_back(std::move(request));
  });
}

std::vector<OperationTime> CompiledNet::profile() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->times;
}

}  // namespace reeltag::infer
