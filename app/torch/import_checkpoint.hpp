// A checkpoint made a model: the one path of `models import-checkpoint` and `models fetch`. One thread.
// Throws Exception: corrupt for a file that does not fit, invalid_argument for names that are not as many as the
// classes, already_exists for a folder with a model; then nothing is written.
//
//   const auto imported = import_checkpoint(context, model::read_checkpoint(file),
//                                           {.file = file, .recipe = recipe, .folder = folder, .name = "s16x4"});
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "context.hpp"
#include "reeltag/model/checkpoint.hpp"
#include "reeltag/model/recipe.hpp"

namespace reeltag::app {

// What of a checkpoint must fit.
enum class Demand {
  something,  // one weight
  net,        // every weight of the net in its own shape; the file may hold more
  all         // and every weight of the file finds its like
};

struct Import {
  std::filesystem::path file = {};  // for messages
  model::Recipe recipe = {};
  std::filesystem::path vocabulary = {};  // empty: class_0000 ...
  std::filesystem::path folder = {};
  std::string name = {};
  model::FitOptions fit = {};
  Demand demand = Demand::something;
  nlohmann::ordered_json trained = {};  // what bundle.json says of the origin
};

// The report, for people or as counts and a fate for each name.
void print_report(const model::FitResult& fitted);
nlohmann::ordered_json to_json(const model::FitResult& fitted);

// The classes' names as hashtags: one a line of the file, as many as there are classes.
std::vector<std::string> vocabulary_of(const std::filesystem::path& file, int classes);

// Fits, reports and writes the bundle. For people the report is printed at once; with --json only that of a refused
// file is, since a result has more to say.
model::FitResult import_checkpoint(const Context& context, const model::Checkpoint& checkpoint, const Import& how);

}  // namespace reeltag::app
