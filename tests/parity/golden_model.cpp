// Weights that everyone can compute, for tests of whole files: `golden_model write RECIPE OUT.pyth` writes the net of a
// recipe with the closed-form fill of the reference vectors; `golden_model logits FOLDER` runs a bundle on their
// closed-form input and prints the logits as JSON.
#include <iostream>
#include <string>
#include <vector>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "reeltag/model/bundle.hpp"
#include "reeltag/model/checkpoint.hpp"
#include "reeltag/model/mvit.hpp"

namespace {

using namespace reeltag;

void write(const std::string& recipe, const std::string& out) {
  model::Mvit net(model::make_plan(model::load_recipe(recipe)), 0);
  model::fill_closed_form(net);
  model::Checkpoint checkpoint;
  for (const auto& [name, tensor] : net.parameters()) checkpoint.weights.tensors.emplace_back(name, tensor.detach());
  model::write_checkpoint(out, checkpoint);
}

void print_logits(const std::string& folder) {
  const torch::NoGradGuard no_grad;
  const auto bundle = model::load_bundle(folder);
  auto net = model::make_net(bundle.recipe, model::load_net_weights(folder, bundle));
  const auto& data = bundle.recipe.data;
  const auto input = model::closed_form_input({1, 3, data.num_frames, data.train_crop_size, data.train_crop_size});
  const auto logits = net.forward(input).flatten().contiguous();
  const auto* values = logits.const_data_ptr<float>();
  std::cout << nlohmann::json(std::vector<float>(values, values + logits.numel())) << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 3 && words[0] == "write") return write(words[1], words[2]), 0;
    if (words.size() == 2 && words[0] == "logits") return print_logits(words[1]), 0;
    std::cerr << "golden_model write RECIPE OUT.pyth | logits FOLDER\n";
    return 2;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
