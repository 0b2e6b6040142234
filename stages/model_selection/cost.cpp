#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/model_selection.hpp"

namespace reeltag::model_selection {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double kProgramBytes = 0.2e9;    // libtorch and the program, without a net
constexpr double kFloat = 4.0;             // bytes
constexpr double kFirstThroughput = 20e9;  // multiply-adds a second, where nothing has been measured yet
constexpr std::int64_t kMaxKept = 16LL << 20;

double tokens(const model::Triple& grid) { return static_cast<double>(grid[0]) * grid[1] * grid[2]; }

// Reads saved measurements. An unreadable file is from another version; nets are then measured again.
json read_kept(const fs::path& file) {
  const auto text = read_file(file, kMaxKept);
  if (!text) return json::array();
  const auto parsed = parse_json(*text, file.string());
  if (!parsed || !parsed->is_object() || parsed->value("format", 0) != 1) return json::array();
  const auto rows = parsed->find("measured");
  return rows != parsed->end() && rows->is_array() ? *rows : json::array();
}

// Cache key: everything that a measurement depends on.
json key_of(const Net& net, const MeasureOptions& o) {
  return {{"recipe", content_id(model::to_yaml(net.recipe))},
          {"program", o.program},
          {"libtorch", o.libtorch},
          {"cpu", o.machine.cpu},
          {"threads", o.machine.threads}};
}

bool has_key(const json& row, const json& key) {
  if (!row.is_object()) return false;
  for (const auto& [name, value] : key.items()) {
    if (!row.contains(name) || row.at(name) != value) return false;
  }
  return true;
}

std::optional<Cost> find_kept(const json& rows, const json& key) {
  for (const auto& row : rows) {
    if (!has_key(row, key)) continue;
    const auto ms = row.find("ms_per_view"), bytes = row.find("peak_memory_bytes");
    if (ms == row.end() || bytes == row.end() || !ms->is_number() || !bytes->is_number()) return std::nullopt;
    return Cost{.ms_per_view = ms->get<double>(), .peak_bytes = bytes->get<double>(), .measured = true};
  }
  return std::nullopt;
}

void forget(json& rows, const json& key) {
  rows.erase(std::remove_if(rows.begin(), rows.end(), [&](const json& row) { return has_key(row, key); }), rows.end());
}

void keep(json& rows, const json& key, const Net& net, const fs::path& file) {
  forget(rows, key);
  json row = key;
  row["net"] = net.name;
  row["ms_per_view"] = net.cost.ms_per_view;
  row["peak_memory_bytes"] = net.cost.peak_bytes;
  rows.push_back(row);
  fs::create_directories(file.parent_path());
  write_file(file, json{{"format", 1}, {"measured", rows}}.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

// Multiply-adds per second of the measured net nearest in size; small nets use less of a machine than large ones.
double throughput_near(const std::vector<Net>& nets, double multiply_adds) {
  const Net* nearest = nullptr;
  const auto distance = [&](const Net& n) { return std::abs(std::log(n.multiply_adds / multiply_adds)); };
  for (const auto& net : nets) {
    if (net.cost.measured && (nearest == nullptr || distance(net) < distance(*nearest))) nearest = &net;
  }
  return nearest == nullptr ? kFirstThroughput : nearest->multiply_adds / nearest->cost.ms_per_view * 1e3;
}

Cost estimate(const std::vector<Net>& nets, const Net& net) {
  return {.ms_per_view = net.multiply_adds / throughput_near(nets, net.multiply_adds) * 1e3,
          .peak_bytes = kProgramBytes + kFloat * static_cast<double>(net.parameters) + net.activation_bytes};
}

Cost measure_one(const Net& net, const Measure& measure) {
  const auto measured = measure(net);
  if (measured) return {.ms_per_view = measured->ms_per_view, .peak_bytes = measured->peak_bytes, .measured = true};
  if (measured.error().code == Code::interrupted) throw Exception(measured.error());
  return {.failure = measured.error().message};
}

std::string field_of(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name)) continue;
    const auto begin = line.find_first_not_of(": \t", name.size());
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

}  // namespace

double activation_bytes(const model::Plan& plan) {
  double most = 0.0;
  for (const auto& b : plan.blocks) {
    const double in = tokens(b.grid_in), q = tokens(b.grid_q), kv = tokens(b.grid_kv);
    const double attention =
        in * b.dim_in + 3.0 * in * b.dim_attention + (q + 2.0 * kv) * b.dim_attention + 2.0 * b.heads * q * kv;
    const double mlp = 2.0 * q * b.dim_attention + 2.0 * q * b.mlp_hidden;
    most = std::max({most, attention, mlp});
  }
  return kFloat * most;
}

Machine this_machine(int threads) {
  Machine machine{.cpu = field_of("/proc/cpuinfo", "model name"), .threads = threads};
  if (machine.cpu.empty()) machine.cpu = "unknown";
  const std::string free = field_of("/proc/meminfo", "MemAvailable");  // "24123456 kB"
  machine.free_bytes = free.empty() ? 0.0 : 1024.0 * std::strtod(free.c_str(), nullptr);
  return machine;
}

void measure_nets(std::vector<Net>& nets, const MeasureOptions& options, const Measure& measure, const OnNet& on_net) {
  std::vector<std::size_t> order(nets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return nets[a].multiply_adds < nets[b].multiply_adds; });
  json rows = read_kept(options.kept);
  for (auto& net : nets) {
    if (options.fresh) forget(rows, key_of(net, options));
    net.cost = find_kept(rows, key_of(net, options)).value_or(Cost{});
  }
  std::int64_t done = 0;
  for (const auto i : order) {
    Net& net = nets[i];
    if (on_net) on_net(done, net.name);
    ++done;
    // Looked up again: two names may denote one recipe.
    if (!net.cost.measured) net.cost = find_kept(rows, key_of(net, options)).value_or(Cost{});
    if (net.cost.measured) continue;
    if (options.stop.stop_requested()) throw Exception(Code::interrupted, "stopped; what was measured is kept");
    const Cost expected = estimate(nets, net);
    const bool too_long = expected.ms_per_view > 1e3 * options.longest_pass;
    const bool too_large = options.machine.free_bytes > 0.0 && expected.peak_bytes > options.machine.free_bytes;
    if (!options.all && (too_long || too_large)) {
      net.cost = expected;
      continue;
    }
    net.cost = measure_one(net, measure);
    if (net.cost.measured) keep(rows, key_of(net, options), net, options.kept);
  }
  if (on_net) on_net(done, "");
}

}  // namespace reeltag::model_selection
