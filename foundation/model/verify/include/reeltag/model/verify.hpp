// Compares a net built here with a reference vector. Used to check a port of the model family, a new machine or a new
// libtorch.
//
// A vector is NAME.json with NAME.safetensors beside it (recipe keys, weights, input, logits, intermediate outputs,
// gradients, one optimizer step), or only a JSON for a full-size net whose weights follow a closed form (a shipped
// recipe's name, logits, a trace). Whatever the vector contains is compared.
// One thread at a time; VerifyReport is a value. An unreadable vector throws Exception.
//
//   auto report = model::verify("d02_v2_relpos_cls.json", {});
//   if (!report.passed) ...
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "reeltag/model/recipe.hpp"

namespace reeltag::model {

// One compared quantity. error and tolerance are absolute for outputs, and relative to the tensor's largest value for
// gradients and for weights after a step.
struct Check {
  std::string what;
  double error = 0.0;
  double tolerance = 0.0;
  [[nodiscard]] bool passed() const { return error <= tolerance; }  // false for NaN
};

struct VerifyReport {
  std::string name;
  std::vector<Check> checks;
  double max_abs = 0.0;     // of the logits
  double tolerance = 2e-5;  // of the logits: reference fp32 and fp64 differ by up to 4e-6
  bool passed = false;
};

// recipe overrides the one that a full-size vector names.
VerifyReport verify(const std::filesystem::path& golden, const std::optional<Recipe>& recipe);

}  // namespace reeltag::model
