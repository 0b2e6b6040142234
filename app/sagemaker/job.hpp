// What the platform says of a training job, in its files: hyperparameters, channels, hosts. Functions: any thread; they
// throw Exception(invalid_config) with the file and what was expected.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "reeltag/base/config.hpp"

namespace reeltag::app {

struct Hyperparameters {
  std::string recipe = "MVITv2_XXS_8";
  std::string from;
  int epochs = 0, batch_size = 0;
  double learning_rate = 0.0;
  int seed = -1;
  bool frozen = false;
  std::vector<std::string> blocks = {};
  std::string labels = "multi";
  int min_support = 8, max_hashtags = 1000;
  bool drop_unlabelled = false;
  int val = 10, test = 10;
};
template <class V>
void visit(V& v, Hyperparameters& h) {
  v("recipe", h.recipe, "A shipped recipe, or a YAML file of a channel: config/recipe.yaml");
  v("from", h.from, "Fine-tune: a shipped model, or a bundle's folder in a channel: model");
  v("epochs", h.epochs, "SOLVER.MAX_EPOCH; 0: the recipe's", config::Range{0, 100'000});
  v("batch_size", h.batch_size, "TRAIN.BATCH_SIZE; 0: the recipe's", config::Range{0, 65536});
  v("learning_rate", h.learning_rate, "SOLVER.BASE_LR; 0: the recipe's", config::Range{0, 1000});
  v("seed", h.seed, "RNG_SEED; -1: the recipe's", config::Range{-1, 2147483647});
  v("frozen", h.frozen, "Fit a linear head on frozen features instead");
  v("blocks", h.blocks, "Its features: mvit, image.mean, image.delta");
  v("labels", h.labels, "All hashtags of a video, or one class", config::OneOf{{"multi", "single"}});
  v("min_support", h.min_support, "Videos that a hashtag needs", config::Range{1, 1e9});
  v("max_hashtags", h.max_hashtags, "Maximum of hashtags in the vocabulary", config::Range{1, 1e6});
  v("drop_unlabelled", h.drop_unlabelled, "Leave out videos without a hashtag of the vocabulary");
  v("val", h.val, "Percent of the groups for validation, where there is no such channel", config::Range{0, 99});
  v("test", h.test, "Percent of the groups for the test, where there is no such channel", config::Range{0, 99});
}

// hyperparameters.json: a flat object of texts, read as YAML is: "0.1", "true", "[1, 2]". Names with a dot are passed
// on: SOLVER.BASE_LR of the recipe, train.threads of the configuration. What the platform adds for itself is passed
// over.
struct HyperparameterFile {
  Hyperparameters known = {};
  std::vector<std::string> keys, sets;  // "SOLVER.BASE_LR=0.1", "train.threads=2"
};
HyperparameterFile hyperparameters_of(const nlohmann::json& file);

struct DataChannel {
  std::string name;
  bool pipe = false;  // a stream instead of a folder
};
// inputdataconfig.json: the channels by name.
std::map<std::string, DataChannel> channels_of(const nlohmann::json& file);

// resourceconfig.json.
struct Hosts {
  std::vector<std::string> names = {"localhost"};
  std::size_t rank = 0;
  std::string interface = {};  // of the network between them
};
Hosts hosts_of(const nlohmann::json& file);

// The variables by which `reeltag train` finds its peers, the first host being the master; none for one host.
using Variable = std::pair<std::string, std::string>;
std::vector<Variable> peer_variables(const Hosts& hosts);

// "epoch=3 train_loss=0.693 val_map=0.41" of a line of a run's log.jsonl; empty where it is none. For regular
// expressions over stdout: names in the order of the alphabet behind epoch, six significant digits.
std::string metrics_line(std::string_view log_line);

}  // namespace reeltag::app
