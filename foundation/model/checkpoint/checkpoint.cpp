#include "reeltag/model/checkpoint.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>

#include <torch/torch.h>

#include "reeltag/model/torch_file.hpp"

namespace reeltag::model {
namespace {

namespace fs = std::filesystem;

torch::ScalarType torch_type(Dtype type) {
  switch (type) {
    case Dtype::f64:
      return torch::kDouble;
    case Dtype::f32:
      return torch::kFloat;
    case Dtype::f16:
      return torch::kHalf;
    case Dtype::bf16:
      return torch::kBFloat16;
    case Dtype::i64:
      return torch::kLong;
    case Dtype::i32:
      return torch::kInt;
    case Dtype::i16:
      return torch::kShort;
    case Dtype::i8:
      return torch::kChar;
    case Dtype::u8:
      return torch::kByte;
    case Dtype::boolean:
      return torch::kBool;
  }
  return torch::kFloat;
}

at::Tensor tensor_of(const TorchFile& file, const TensorRecord& record) {
  const at::Tensor out = torch::empty(record.shape, torch_type(record.storage->type));
  const std::string bytes = file.elements(record);
  if (!bytes.empty()) std::memcpy(out.mutable_data_ptr(), bytes.data(), bytes.size());
  return out;
}

bool is_safetensors(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Exception(Code::not_found, "cannot read " + path.string());
  std::array<char, 9> start{};
  in.read(start.data(), start.size());
  return path.extension() == ".safetensors" || (in.gcount() == 9 && start[8] == '{');
}

// Finds the dictionary of the weights: under one of three keys, or the file's root.
const PickleValue& state_of(const fs::path& path, const PickleValue& root) {
  const auto has_tensors = [](const PickleValue& dict) {
    const auto entries = dict.entries();
    return std::any_of(entries.begin(), entries.end(), [](const auto& e) { return e.second->tensor != nullptr; });
  };
  for (const char* key : {"model_state", "model", "state_dict"}) {
    if (const auto* inner = root.find(key); inner != nullptr && has_tensors(*inner)) return *inner;
  }
  if (has_tensors(root)) return root;
  throw Exception(Code::corrupt, path.string() +
                                     " holds no weights: want tensors by name, alone or under model_state, model or "
                                     "state_dict. A whole module saved with torch.save(model) cannot be read; save its "
                                     "state_dict()");
}

// DistributedDataParallel puts "module." before every name.
void strip_module(TensorFile& weights) {
  for (auto& [name, tensor] : weights.tensors) {
    if (name.starts_with("module.")) name.erase(0, 7);
  }
}

double number_of(const TorchFile& file, const PickleValue* value) {
  if (value == nullptr) return 0;
  if (value->tensor != nullptr && value->tensor->count() == 1)
    return tensor_of(file, *value->tensor).to(torch::kDouble).item<double>();
  return value->kind == PickleValue::Kind::real ? value->real : static_cast<double>(value->integer);
}

std::optional<OptimizerState> optimizer_of(const TorchFile& file, const PickleValue& root) {
  const auto* state = root.find("optimizer_state");
  const auto* groups = state == nullptr ? nullptr : state->find("param_groups");
  const auto* moments = state == nullptr ? nullptr : state->find("state");
  if (groups == nullptr || moments == nullptr) return std::nullopt;
  OptimizerState out;
  for (const auto* group : groups->items) {
    auto& g = out.groups.emplace_back();
    g.weight_decay = number_of(file, group->find("weight_decay"));
    if (const auto* parameters = group->find("params")) {
      for (const auto* p : parameters->items) g.parameters.push_back(p->integer);
    }
  }
  for (std::size_t i = 0; i + 1 < moments->items.size(); i += 2) {
    const auto* value = moments->items[i + 1];
    const auto *avg = value->find("exp_avg"), *avg_sq = value->find("exp_avg_sq");
    if (avg == nullptr || avg_sq == nullptr || !avg->tensor || !avg_sq->tensor) continue;
    out.moments[moments->items[i]->integer] = {.exp_avg = tensor_of(file, *avg->tensor),
                                               .exp_avg_sq = tensor_of(file, *avg_sq->tensor),
                                               .step = number_of(file, value->find("step"))};
  }
  return out;
}

Checkpoint read_torch(const fs::path& path, bool with_optimizer) {
  const TorchFile file(file_source(path));
  const PickleValue& root = file.root();
  Checkpoint out;
  out.format = file.format();
  std::set<std::string> seen;
  for (const auto& [name, value] : state_of(path, root).entries()) {
    if (value->tensor == nullptr) continue;
    if (!seen.insert(name).second) throw Exception(Code::corrupt, path.string() + ": two weights are called " + name);
    out.weights.tensors.emplace_back(name, tensor_of(file, *value->tensor));
  }
  if (const auto* epoch = root.find("epoch"); epoch != nullptr && epoch->kind == PickleValue::Kind::integer)
    out.epoch = epoch->integer;
  if (const auto* cfg = root.find("cfg"); cfg != nullptr && cfg->kind == PickleValue::Kind::text) out.cfg = cfg->text;
  if (with_optimizer) out.optimizer = optimizer_of(file, root);
  return out;
}

Checkpoint read_safe(const fs::path& path) {
  Checkpoint out;
  out.format = "safetensors";
  out.weights = read_safetensors(path);
  auto& tensors = out.weights.tensors;
  // A checkpoint of one of our runs: weights as net/NAME beside the optimizer's.
  if (std::any_of(tensors.begin(), tensors.end(), [](const auto& t) { return t.first.starts_with("net/"); })) {
    std::erase_if(tensors, [](const auto& t) { return !t.first.starts_with("net/"); });
    for (auto& [name, tensor] : tensors) name.erase(0, 4);
  }
  const auto& metadata = out.weights.metadata;
  if (const auto it = metadata.find("cfg"); it != metadata.end()) out.cfg = it->second;
  if (const auto it = metadata.find("epoch"); it != metadata.end())
    out.epoch = std::strtoll(it->second.c_str(), nullptr, 10);
  return out;
}

// What a file is that people take for a checkpoint by mistake; null if it does not look like one of these.
const char* mistaken_for(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string start(512, '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(in.gcount()));
  const auto holds = [&](std::string_view text) { return start.find(text) != std::string::npos; };
  const auto text =
      std::string_view(start).substr(std::min(start.find_first_not_of(" \t\r\n\xEF\xBB\xBF"), start.size()));
  if (text.starts_with('<')) return "a web page or XML; was the download a page that asks to log in?";
  if (start.starts_with("version https://git-lfs"))
    return "a Git LFS pointer; fetch the file itself with: git lfs pull";
  if (start.starts_with("\x89HDF\r\n\x1A\n")) return "HDF5, as Keras writes it; convert it with PyTorch";
  if (start.starts_with("\x08") && (holds("pytorch") || holds("onnx") || holds("torch_jit") || holds("tf2onnx")))
    return "ONNX, which has a graph; export the weights with torch.save";
  if (start.starts_with("\x1F\x8B")) return "compressed with gzip; unpack it first";
  if (start.starts_with("BZh") || start.starts_with("\xFD"
                                                    "7zXZ"))
    return "compressed; unpack it first";
  if (start.starts_with("GGUF")) return "GGUF, a form of language models";
  if (text.starts_with('{') || text.starts_with('[')) return "JSON; an error message instead of a download?";
  if (path.extension() == ".pb" || path.extension() == ".h5" || path.extension() == ".tflite")
    return "of TensorFlow; convert it with PyTorch";
  return nullptr;
}

constexpr const char* kParts[] = {"q", "k", "v"};

// Splits "blocks.0.attn.qkv.weight" into "blocks.0.attn." and ".weight"; the prefix is empty if the part does not
// match.
std::pair<std::string, std::string> around(const std::string& name, const std::string& part) {
  const auto at = name.find(".attn." + part + ".");
  if (at == std::string::npos) return {};
  return {name.substr(0, at + 6), name.substr(at + 6 + part.size())};
}

}  // namespace

Checkpoint read_checkpoint(const fs::path& path, bool with_optimizer) {
  if (const char* what = mistaken_for(path); what != nullptr && !is_safetensors(path))
    throw Exception(Code::corrupt, path.string() + " is no checkpoint but " + what);
  Checkpoint out = is_safetensors(path) ? read_safe(path) : read_torch(path, with_optimizer);
  strip_module(out.weights);
  return out;
}

void write_checkpoint(const fs::path& path, const Checkpoint& checkpoint) {
  TensorFile floats;
  for (const auto& [name, tensor] : checkpoint.weights.tensors)
    floats.tensors.emplace_back(name, tensor.detach().to(torch::kCPU, torch::kFloat).contiguous());
  if (path.extension() == ".safetensors") {
    floats.metadata = {{"format", "pt"}};
    if (!checkpoint.cfg.empty()) floats.metadata["cfg"] = checkpoint.cfg;
    if (checkpoint.epoch) floats.metadata["epoch"] = std::to_string(*checkpoint.epoch);
    return write_safetensors(path, floats);
  }
  std::vector<NamedFloats> state;
  for (const auto& [name, tensor] : floats.tensors) {
    state.push_back({.name = name,
                     .shape = tensor.sizes().vec(),
                     .bytes = {static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  write_torch_file(path, state, checkpoint.epoch.value_or(0), checkpoint.cfg);
}

void split_qkv(TensorFile& weights) {
  std::vector<std::pair<std::string, at::Tensor>> out;
  for (const auto& [name, tensor] : weights.tensors) {
    const auto [before, after] = around(name, "qkv");
    if (before.empty() || tensor.dim() == 0 || tensor.size(0) % 3 != 0) {
      out.emplace_back(name, tensor);
      continue;
    }
    const auto parts = tensor.chunk(3);
    for (std::size_t i = 0; i < 3; ++i) out.emplace_back(before + kParts[i] + after, parts[i].contiguous());
  }
  weights.tensors = std::move(out);
}

void fuse_qkv(TensorFile& weights) {
  std::vector<std::pair<std::string, at::Tensor>> out;
  for (const auto& [name, tensor] : weights.tensors) {
    const auto [before, after] = around(name, "q");
    const auto *k = weights.find(before + "k" + after), *v = weights.find(before + "v" + after);
    if (!before.empty() && k != nullptr && v != nullptr) {
      out.emplace_back(before + "qkv" + after, torch::cat({tensor, *k, *v}));
    } else if (around(name, "k").first.empty() && around(name, "v").first.empty()) {
      out.emplace_back(name, tensor);
    }
  }
  weights.tensors = std::move(out);
}

}  // namespace reeltag::model
