#include "checkpoint.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "reeltag/base/log.hpp"
#include "reeltag/model/safetensors.hpp"

namespace reeltag::train {
namespace {

namespace fs = std::filesystem;

// Oldest first: names are zero-padded, so they sort by position.
std::vector<fs::path> checkpoints(const fs::path& run) {
  std::vector<fs::path> out;
  if (!fs::is_directory(run / "checkpoints")) return out;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    if (entry.path().extension() == ".safetensors") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string name_of(const Position& p) {
  char text[64];
  std::snprintf(text, sizeof text, "%05d-%08zu.safetensors", p.epoch, p.batch);
  return text;
}

void load(const fs::path& path, model::Mvit& net, model::AdamW& optimizer, Position& p) {
  const model::TensorFile file = model::read_safetensors(path);
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : net.parameters()) {
    const auto& stored = file.at("net/" + name);
    if (stored.sizes() != tensor.sizes())
      throw Exception(Code::corrupt, path.string() + ": " + name + " has another shape");
    tensor.copy_(stored);
  }
  optimizer.load_state(file, "optimizer/");
  const auto value = [&](const char* key) { return file.metadata.at(key); };
  p.epoch = std::stoi(value("epoch"));
  p.batch = std::stoull(value("batch"));
  p.clips = std::stoll(value("clips"));
  p.hits = std::stoll(value("hits"));
  p.loss_sum = std::strtod(value("loss_sum").c_str(), nullptr);
}

}  // namespace

void save_checkpoint(const fs::path& run, const model::Mvit& net, const model::AdamW& optimizer, const Position& p) {
  model::TensorFile file;
  for (const auto& [name, tensor] : net.parameters()) file.tensors.emplace_back("net/" + name, tensor);
  for (const auto& [name, tensor] : optimizer.state()) file.tensors.emplace_back("optimizer/" + name, tensor);
  char loss[64];
  std::snprintf(loss, sizeof loss, "%a", p.loss_sum);  // hexadecimal: read back to the same bits
  file.metadata = {{"epoch", std::to_string(p.epoch)},
                   {"batch", std::to_string(p.batch)},
                   {"clips", std::to_string(p.clips)},
                   {"hits", std::to_string(p.hits)},
                   {"loss_sum", loss}};
  fs::create_directories(run / "checkpoints");
  model::write_safetensors(run / "checkpoints" / name_of(p), file);
  auto all = checkpoints(run);
  for (std::size_t i = 0; i + 2 < all.size(); ++i) fs::remove(all[i]);
}

std::optional<Position> load_checkpoint(const fs::path& run, model::Mvit& net, model::AdamW& optimizer) {
  auto all = checkpoints(run);
  for (; !all.empty(); all.pop_back()) {
    try {
      Position p;
      load(all.back(), net, optimizer, p);
      return p;
    } catch (const std::exception& e) {
      log::warning("checkpoint_unreadable", {{"file", all.back()}, {"reason", e.what()}});
    }
  }
  return std::nullopt;
}

}  // namespace reeltag::train
