#include "rank_sync.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <type_traits>

#include <nlohmann/json.hpp>

namespace reeltag::train {
namespace {

using nlohmann::json;

// Messages are concatenated raw values; all ranks run the same program.
template <class T>
void put(std::string& message, const T* values, std::size_t n) {
  static_assert(std::is_trivially_copyable_v<T>);
  message.append(reinterpret_cast<const char*>(values), n * sizeof(T));  // NOLINT(*-reinterpret-cast)
}

template <class T>
void take(std::string_view& message, T* values, std::size_t n) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (n > message.size() / sizeof(T)) throw Exception(Code::internal, "another rank's message is too short");
  std::copy_n(message.begin(), n * sizeof(T), reinterpret_cast<char*>(values));  // NOLINT(*-reinterpret-cast)
  message.remove_prefix(n * sizeof(T));
}

std::string encoded(const ItemScores& scored) {
  const std::size_t n = scored.items.size(), classes = n > 0 ? scored.scores[0].size() : 0;
  std::string out;
  put(out, &n, 1);
  put(out, &classes, 1);
  put(out, &scored.loss_sum, 1);
  put(out, scored.items.data(), n);
  for (const auto& row : scored.scores) put(out, row.data(), classes);
  return out;
}

void append(ItemScores& to, std::string_view message) {
  std::size_t n = 0, classes = 0;
  double loss_sum = 0.0;
  take(message, &n, 1);
  take(message, &classes, 1);
  take(message, &loss_sum, 1);
  to.loss_sum += loss_sum;
  std::vector<std::size_t> items(n);
  take(message, items.data(), n);
  to.items.insert(to.items.end(), items.begin(), items.end());
  for (std::size_t i = 0; i < n; ++i) take(message, to.scores.emplace_back(classes).data(), classes);
}

}  // namespace

void check_divisible(int batch_size, const World& world) {
  if (batch_size % world.size == 0) return;
  const int below = batch_size / world.size * world.size;
  throw Exception(Code::invalid_config, "TRAIN.BATCH_SIZE is " + std::to_string(batch_size) + ", which " +
                                            std::to_string(world.size) + " processes cannot share; take " +
                                            (below > 0 ? std::to_string(below) + " or " : "") +
                                            std::to_string(below + world.size));
}

void agree(ProcessGroup& group, const dataset::Dataset& set, const Options& options, const model::Recipe& recipe) {
  if (group.size() == 1) return;
  const json own{{"the dataset", set.id},
                 {"the run", options.run.filename().string()},
                 {"the recipe", model::to_yaml(recipe)},
                 {"--resume", options.resume},
                 {"train.precision", options.config.precision},
                 {"train.min_lift", options.config.min_lift},
                 {"train.half", options.config.half},
                 {"train.device", options.config.device}};
  const auto all = group.gather(own.dump());
  const json first = json::parse(all[0]);
  for (std::size_t r = 1; r < all.size(); ++r) {
    const json other = json::parse(all[r]);
    for (const auto& [name, value] : first.items()) {
      if (other.at(name) == value) continue;
      throw Exception(Code::invalid_config, "rank " + std::to_string(r) + " was started otherwise than rank 0: " +
                                                name + " differs; start all processes with the same command");
    }
  }
}

void share_state(ProcessGroup& group, const model::Mvit& net, const model::AdamW& optimizer, Position& position) {
  if (group.size() == 1) return;
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : net.parameters()) tensors.push_back(tensor);
  for (const auto& [name, tensor] : optimizer.state()) tensors.push_back(tensor);
  group.broadcast(tensors);
  std::string own;
  put(own, &position, 1);
  const std::string first = group.gather(own)[0];
  std::string_view message = first;
  take(message, &position, 1);
}

ItemScores gather_all(ProcessGroup& group, const ItemScores& own) {
  if (group.size() == 1) return own;
  ItemScores all;
  for (const auto& message : group.gather(encoded(own))) append(all, message);
  return all;
}

std::vector<Failure> gather_all(ProcessGroup& group, const std::vector<Failure>& own) {
  if (group.size() == 1) return own;
  json mine = json::array();
  for (const auto& f : own) mine.push_back({f.video, static_cast<int>(f.reason.code), f.reason.message});
  std::vector<Failure> all;
  std::set<std::string> seen;
  for (const auto& text : group.gather(mine.dump(-1, ' ', false, json::error_handler_t::replace))) {
    for (const auto& f : json::parse(text)) {
      if (!seen.insert(f[0].get<std::string>()).second) continue;
      all.push_back({f[0], Error{static_cast<Code>(f[1].get<int>()), f[2].get<std::string>()}});
    }
  }
  return all;
}

}  // namespace reeltag::train
