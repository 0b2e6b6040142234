#include "positions.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "reeltag/model/relative_index.hpp"

namespace reeltag::model {
namespace {

// Where an output position reads an axis, and how much of each place.
struct Taps {
  std::array<int, 4> place{};
  std::array<float, 4> weight{};
};

float source_of(int i, int in, int out) {
  return (static_cast<float>(i) + 0.5F) * (static_cast<float>(in) / static_cast<float>(out)) - 0.5F;
}

Taps linear_taps(int i, int in, int out) {
  const float source = std::max(0.0F, source_of(i, in, out));
  const int first = std::min(static_cast<int>(source), in - 1);
  const float fraction = source - static_cast<float>(first);
  return {{first, std::min(first + 1, in - 1), 0, 0}, {1.0F - fraction, fraction, 0.0F, 0.0F}};
}

// Keys' cubic convolution with A = -0.75.
Taps cubic_taps(int i, int in, int out) {
  constexpr float kA = -0.75F;
  const auto near = [](float x) { return ((kA + 2.0F) * x - (kA + 3.0F)) * x * x + 1.0F; };
  const auto far = [](float x) { return ((kA * x - 5.0F * kA) * x + 8.0F * kA) * x - 4.0F * kA; };
  const float source = source_of(i, in, out), floor = std::floor(source), t = source - floor;
  Taps taps{{}, {far(t + 1.0F), near(t), near(1.0F - t), far(2.0F - t)}};
  for (int tap = 0; tap < 4; ++tap)
    taps.place[static_cast<std::size_t>(tap)] = std::clamp(static_cast<int>(floor) - 1 + tap, 0, in - 1);
  return taps;
}

using TapsOf = Taps (*)(int i, int in, int out);

// Resamples the axis of `in` places in values [outer,in,inner]; the same number of places stays as it is.
std::vector<float> resampled(const std::vector<float>& values, std::size_t inner, int in, int out, TapsOf taps_of) {
  if (in == out) return values;
  const std::size_t outer = values.size() / (inner * static_cast<std::size_t>(in));
  std::vector<float> result(outer * static_cast<std::size_t>(out) * inner);
  for (int i = 0; i < out; ++i) {
    const Taps taps = taps_of(i, in, out);
    for (std::size_t o = 0; o < outer; ++o) {
      float* to = &result[(o * static_cast<std::size_t>(out) + static_cast<std::size_t>(i)) * inner];
      for (std::size_t tap = 0; tap < taps.place.size(); ++tap) {
        if (taps.weight[tap] == 0.0F) continue;
        const float* from =
            &values[(o * static_cast<std::size_t>(in) + static_cast<std::size_t>(taps.place[tap])) * inner];
        for (std::size_t c = 0; c < inner; ++c) to[c] += taps.weight[tap] * from[c];
      }
    }
  }
  return result;
}

std::size_t places(const Triple& g) {
  return static_cast<std::size_t>(g[0]) * static_cast<std::size_t>(g[1]) * static_cast<std::size_t>(g[2]);
}

// sin of all frequencies of a position, then cos.
void append_sincos(std::vector<float>& row, int position, int width) {
  for (const bool cosine : {false, true}) {
    for (int k = 0; k < width / 2; ++k) {
      const double angle = position * std::pow(10000.0, -k / (width / 2.0));
      row.push_back(static_cast<float>(cosine ? std::cos(angle) : std::sin(angle)));
    }
  }
}

// A quarter of the width for the frame, then three eighths each for column and row: contrary to upstream's variable
// names the column comes first.
Array sincos_positions(int width, const Triple& g, bool class_token) {
  Array out{{1, static_cast<std::int64_t>(places(g)) + (class_token ? 1 : 0), width}, {}};
  if (class_token) out.values.assign(static_cast<std::size_t>(width), 0.0F);
  for (int t = 0; t < g[0]; ++t) {
    for (int h = 0; h < g[1]; ++h) {
      for (int w = 0; w < g[2]; ++w) {
        append_sincos(out.values, t, width / 4);
        append_sincos(out.values, w, width * 3 / 8);
        append_sincos(out.values, h, width * 3 / 8);
      }
    }
  }
  return out;
}

Array separate_positions(const Plan& plan, const Weights& weights, const Triple& g) {
  const auto width = static_cast<std::size_t>(plan.recipe.mvit.embed_dim);
  const Triple& trained = plan.grid;
  std::vector<float> spatial = weights.at("pos_embed_spatial").values;
  if (trained[1] != g[1] || trained[2] != g[2]) {
    spatial = resampled(spatial, width, trained[2], g[2], cubic_taps);
    spatial = resampled(spatial, width * static_cast<std::size_t>(g[2]), trained[1], g[1], cubic_taps);
  }
  const auto temporal = resampled(weights.at("pos_embed_temporal").values, width, trained[0], g[0], linear_taps);
  Array out{{1, static_cast<std::int64_t>(places(g)), static_cast<std::int64_t>(width)}, {}};
  if (plan.class_token()) {
    out.values = weights.at("pos_embed_class").values;
    ++out.shape[1];
  }
  for (std::size_t t = 0; t < static_cast<std::size_t>(g[0]); ++t) {
    for (std::size_t i = 0; i < spatial.size(); ++i) out.values.push_back(spatial[i] + temporal[t * width + i % width]);
  }
  return out;
}

Array joint_positions(const Plan& plan, const Array& table, const Triple& g) {
  const auto width = static_cast<std::size_t>(plan.recipe.mvit.embed_dim);
  const Triple& trained = plan.grid;
  const auto first = static_cast<std::ptrdiff_t>(plan.class_token() ? width : 0);
  std::vector<float> values(table.values.begin() + first, table.values.end());
  values = resampled(values, width, trained[2], g[2], linear_taps);
  values = resampled(values, width * static_cast<std::size_t>(g[2]), trained[1], g[1], linear_taps);
  values = resampled(values, width * static_cast<std::size_t>(g[1]) * static_cast<std::size_t>(g[2]), trained[0], g[0],
                     linear_taps);
  Array out{{1, static_cast<std::int64_t>(places(g)) + (first > 0 ? 1 : 0), static_cast<std::int64_t>(width)},
            {table.values.begin(), table.values.begin() + first}};
  out.values.insert(out.values.end(), values.begin(), values.end());
  return out;
}

}  // namespace

Array absolute_positions(const Plan& plan, const Weights& weights, const Triple& grid) {
  const auto& m = plan.recipe.mvit;
  if (!m.use_abs_pos) return {};
  if (m.sep_pos_embed) return separate_positions(plan, weights, grid);
  const Array* table = weights.find("pos_embed");
  if (m.use_fixed_sincos_pos && (table == nullptr || grid != plan.grid))
    return sincos_positions(m.embed_dim, grid, plan.class_token());
  const Array& learned = weights.at("pos_embed");
  return grid == plan.grid ? learned : joint_positions(plan, learned, grid);
}

std::vector<float> relative_rows(const Array& table, int q, int k) {
  const auto width = static_cast<std::size_t>(table.shape.at(1));
  const auto rows =
      resampled(table.values, width, static_cast<int>(table.shape[0]), 2 * std::max(q, k) - 1, linear_taps);
  std::vector<float> out;
  for (const auto row : relative_index(q, k)) {
    const auto from = rows.begin() + row * static_cast<std::ptrdiff_t>(width);
    out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(width));
  }
  return out;
}

Array key_places(const Triple& g, bool spatial, bool temporal) {
  const int width = (spatial ? g[1] + g[2] : 0) + (temporal ? g[0] : 0);
  Array out{{static_cast<std::int64_t>(places(g)), width},
            std::vector<float>(places(g) * static_cast<std::size_t>(width))};
  auto* row = out.values.data();
  for (int t = 0; t < g[0]; ++t) {
    for (int h = 0; h < g[1]; ++h) {
      for (int w = 0; w < g[2]; ++w, row += width) {
        if (spatial) row[h] = row[g[1] + w] = 1.0F;
        if (temporal) row[(spatial ? g[1] + g[2] : 0) + t] = 1.0F;
      }
    }
  }
  return out;
}

}  // namespace reeltag::model
