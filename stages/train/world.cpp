#include <cstdlib>

#include <charconv>
#include <optional>
#include <string_view>

#include "reeltag/train.hpp"

namespace reeltag::train {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return text;
}

int number(const char* name, const std::string& text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw Exception(Code::invalid_config, std::string("the environment's ") + name + " is \"" + text +
                                              "\"; want a whole number from " + std::to_string(least) + " to " +
                                              std::to_string(most));
  }
  return value;
}

int number_or(const char* name, int otherwise, int least, int most) {
  const auto text = variable(name);
  return text ? number(name, *text, least, most) : otherwise;
}

constexpr int kMaxProcesses = 65'536;

}  // namespace

World world_from_environment() {
  const bool slurm =
      !variable("RANK") && !variable("WORLD_SIZE") && variable("MASTER_ADDR") && variable("SLURM_NTASKS");
  const char* const rank = slurm ? "SLURM_PROCID" : "RANK";
  World world;
  world.size = number_or(slurm ? "SLURM_NTASKS" : "WORLD_SIZE", 1, 1, kMaxProcesses);
  if (world.size == 1) return {};
  for (const char* name : {rank, "MASTER_ADDR"}) {
    if (!variable(name)) {
      throw Exception(Code::invalid_config,
                      "the environment asks for " + std::to_string(world.size) + " processes and has no " + name +
                          "; start them by torchrun or set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT");
    }
  }
  world.rank = number(rank, *variable(rank), 0, world.size - 1);
  world.local_rank = number_or(slurm ? "SLURM_LOCALID" : "LOCAL_RANK", 0, 0, kMaxProcesses);
  world.address = *variable("MASTER_ADDR");
  world.port = number_or("MASTER_PORT", world.port, 1, 65'535);
  world.launcher_store = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  world.attempt = number_or("TORCHELASTIC_RESTART_COUNT", 0, 0, 1'000'000);
  return world;
}

}  // namespace reeltag::train
