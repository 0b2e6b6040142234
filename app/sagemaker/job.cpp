#include "sagemaker/job.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "reeltag/base/error.hpp"

namespace reeltag::app {
namespace {

using nlohmann::json;

constexpr const char* kMasterPort = "29500";  // PyTorch's own default

[[noreturn]] void refuse(const std::string& message) { throw Exception(Code::invalid_config, message); }

bool is_platforms_own(std::string_view name) {
  return name.starts_with("sagemaker_") || name == "_tuning_objective_metric";
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// What Values says of --set is true of the file.
std::string in_words_of_the_file(std::string message) {
  constexpr std::string_view kSet = "--set";
  for (auto at = message.find(kSet); at != std::string::npos; at = message.find(kSet))
    message.replace(at, kSet.size(), "hyperparameters.json");
  return message;
}

const json& member(const json& file, const char* name, const char* file_name) {
  const auto found = file.find(name);
  if (found == file.end()) refuse(std::string(file_name) + " has no " + name);
  return *found;
}

}  // namespace

HyperparameterFile hyperparameters_of(const json& file) {
  if (!file.is_object()) refuse("hyperparameters.json must be an object");
  HyperparameterFile out;
  config::Values values;
  try {
    for (const auto& [name, value] : file.items()) {
      if (is_platforms_own(name)) continue;
      const auto assignment = name + "=" + text_of(value);
      if (name.find('.') == std::string::npos) {
        values.set(assignment);
      } else {
        const bool of_recipe = std::isupper(static_cast<unsigned char>(name.front())) != 0;
        (of_recipe ? out.keys : out.sets).push_back(assignment);
      }
    }
    config::resolve(values, out.known);
  } catch (const Exception& e) {
    throw Exception(e.code(), in_words_of_the_file(e.what()));
  }
  return out;
}

std::map<std::string, DataChannel> channels_of(const json& file) {
  if (!file.is_object()) refuse("inputdataconfig.json must be an object");
  std::map<std::string, DataChannel> channels;
  for (const auto& [name, channel] : file.items()) {
    const auto mode = channel.is_object() ? channel.value("TrainingInputMode", "File") : "";
    if (mode != "File" && mode != "FastFile" && mode != "Pipe")
      refuse("inputdataconfig.json: channel " + name + ": TrainingInputMode must be File, FastFile or Pipe");
    channels[name] = {.name = name, .pipe = mode == "Pipe"};
  }
  return channels;
}

Hosts hosts_of(const json& file) {
  constexpr const char* kFile = "resourceconfig.json";
  if (!file.is_object()) refuse(std::string(kFile) + " must be an object");
  const auto& names = member(file, "hosts", kFile);
  const auto& own = member(file, "current_host", kFile);
  if (!names.is_array() || !own.is_string() ||
      !std::all_of(names.begin(), names.end(), [](const json& name) { return name.is_string(); }))
    refuse(std::string(kFile) + ": hosts must be a list of names, current_host one of them");
  Hosts hosts{.names = names.get<std::vector<std::string>>()};
  std::sort(hosts.names.begin(), hosts.names.end());
  const auto at = std::find(hosts.names.begin(), hosts.names.end(), own.get<std::string>());
  if (at == hosts.names.end())
    refuse(std::string(kFile) + ": current_host " + own.get<std::string>() + " is none of the hosts");
  hosts.rank = static_cast<std::size_t>(at - hosts.names.begin());
  hosts.interface = file.value("network_interface_name", "");
  return hosts;
}

std::vector<Variable> peer_variables(const Hosts& hosts) {
  if (hosts.names.size() < 2) return {};
  std::vector<Variable> variables{{"RANK", std::to_string(hosts.rank)},
                                  {"WORLD_SIZE", std::to_string(hosts.names.size())},
                                  {"LOCAL_RANK", "0"},
                                  {"MASTER_ADDR", hosts.names.front()},
                                  {"MASTER_PORT", kMasterPort}};
  if (!hosts.interface.empty()) variables.emplace_back("GLOO_SOCKET_IFNAME", hosts.interface);
  return variables;
}

std::string metrics_line(std::string_view log_line) {
  const auto line = json::parse(log_line, nullptr, false);
  if (!line.is_object() || !line.contains("epoch") || !line["epoch"].is_number_integer()) return {};
  std::string text = "epoch=" + std::to_string(line["epoch"].get<std::int64_t>());
  for (const auto& [name, value] : line.items()) {  // sorted by name
    if (name == "epoch" || !value.is_number()) continue;
    char number[64];
    std::snprintf(number, sizeof number, "=%.6g", value.get<double>());
    text += " " + name + number;
  }
  return text;
}

}  // namespace reeltag::app
