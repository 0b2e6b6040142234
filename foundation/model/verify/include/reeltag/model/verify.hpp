// Runs a reference vector through a net built here and says how far the numbers are apart. It is how a port of the
// family, a new machine or a new libtorch is checked.
//
// A vector is NAME.json with NAME.safetensors beside it (recipe keys, weights, input, logits, intermediate outputs,
// gradients, one optimizer step), or a JSON alone for a full-size net whose weights follow a closed form (a shipped
// recipe's name, logits, a trace). Which quantities are there decides what is compared.
// One thread at a time; a vector that cannot be read throws Exception.
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

// One compared quantity. error and tolerance are in its unit: absolute for outputs, relative to the tensor's largest
// value for gradients and weights after a step.
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
  double tolerance = 2e-5;  // for the logits: reference fp32 against fp64 differs by up to 4e-6
  bool passed = false;
};

// recipe replaces the one that a full-size vector names.
VerifyReport verify(const std::filesystem::path& golden, const std::optional<Recipe>& recipe);

}  // namespace reeltag::model
