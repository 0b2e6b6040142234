#include "tone_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

namespace reeltag::media {
namespace {

// SDR white within an HDR picture, in cd/m2. Source: ITU-R BT.2408, reference level of HDR graphics white.
constexpr double kSdrWhite = 203.0;
// Peak of the HDR picture, in cd/m2: the nominal HLG display (BT.2100 table 5) and the usual PQ mastering peak.
constexpr double kHdrPeak = 1000.0;

// PQ, absolute cd/m2 <-> signal in [0,1]. Source: ITU-R BT.2100 table 4 (SMPTE ST 2084).
constexpr double kM1 = 2610.0 / 16384, kM2 = 2523.0 / 4096 * 128;
constexpr double kC1 = 3424.0 / 4096, kC2 = 2413.0 / 4096 * 32, kC3 = 2392.0 / 4096 * 32;

double pq_to_nits(double signal) {
  const double p = std::pow(signal, 1 / kM2);
  return 10000.0 * std::pow(std::max(p - kC1, 0.0) / (kC2 - kC3 * p), 1 / kM1);
}

double nits_to_pq(double nits) {
  const double y = std::pow(nits / 10000.0, kM1);
  return std::pow((kC1 + kC2 * y) / (1 + kC3 * y), kM2);
}

// HLG signal to scene light in [0,1]. Source: ITU-R BT.2100 table 5.
double hlg_to_scene(double signal) {
  constexpr double kA = 0.17883277, kB = 1 - 4 * kA;
  const double c = 0.5 - kA * std::log(4 * kA);
  return signal <= 0.5 ? signal * signal / 3 : (std::exp((signal - c) / kA) + kB) / 12;
}

// Rolls off highlights in PQ space and keeps black. Source: ITU-R BT.2390 section 5.4.1 (EETF).
double roll_off(double nits) {
  static const double source_peak = nits_to_pq(kHdrPeak);
  static const double max_lum = nits_to_pq(kSdrWhite) / source_peak;
  static const double knee = 1.5 * max_lum - 0.5;
  const double e1 = std::min(nits_to_pq(nits) / source_peak, 1.0);
  if (e1 < knee) return nits;
  const double t = (e1 - knee) / (1 - knee), t2 = t * t, t3 = t2 * t;
  const double e2 = (2 * t3 - 3 * t2 + 1) * knee + (t3 - 2 * t2 + t) * (1 - knee) + (-2 * t3 + 3 * t2) * max_lum;
  return pq_to_nits(e2 * source_peak);
}

constexpr int kSteps = 4096;  // entries of a table: finer than 10-bit codes and than an 8-bit result

struct Tables {
  std::array<float, 65536> light;             // signal -> cd/m2 (PQ) or scene light (HLG)
  std::array<float, kSteps + 1> gain;         // (largest of R,G,B in cd/m2 / kHdrPeak) -> factor on cd/m2
  std::array<float, kSteps + 1> ootf;         // HLG scene luminance -> factor to cd/m2
  std::array<std::uint8_t, kSteps + 1> code;  // (SDR light in [0,1])^(1/2) -> 8-bit code

  explicit Tables(Transfer transfer) {
    for (int i = 0; i < 65536; ++i)
      light[i] = static_cast<float>(transfer == Transfer::pq ? pq_to_nits(i / 65535.0) : hlg_to_scene(i / 65535.0));
    for (int i = 0; i <= kSteps; ++i) {
      const double x = static_cast<double>(i) / kSteps;
      const double nits = std::max(x * x, 1e-9) * kHdrPeak;  // square: more entries where it is dark
      gain[i] = static_cast<float>(roll_off(nits) / nits);
      ootf[i] = static_cast<float>(kHdrPeak * std::pow(std::max(x * x, 1e-9), 0.2));  // system gamma 1.2, BT.2100
      // Inverse of the BT.1886 display (gamma 2.4, black 0); light = x * x.
      code[i] = static_cast<std::uint8_t>(std::lround(255.0 * std::pow(x * x, 1 / 2.4)));
    }
  }
};

const Tables& tables(Transfer transfer) {
  static const auto pq = std::make_unique<const Tables>(Transfer::pq);
  static const auto hlg = std::make_unique<const Tables>(Transfer::hlg);
  return transfer == Transfer::pq ? *pq : *hlg;
}

int root_index(float x) { return static_cast<int>(std::lround(std::sqrt(std::clamp(x, 0.0F, 1.0F)) * kSteps)); }

}  // namespace

void tone_map(Transfer transfer, std::span<const std::uint16_t> rgb, std::span<std::uint8_t> out) {
  const Tables& t = tables(transfer);
  for (std::size_t i = 0; i + 3 <= rgb.size(); i += 3) {
    float r = t.light[rgb[i]], g = t.light[rgb[i + 1]], b = t.light[rgb[i + 2]];
    if (transfer == Transfer::hlg) {
      const float to_nits = t.ootf[root_index(0.2627F * r + 0.6780F * g + 0.0593F * b)];
      r *= to_nits, g *= to_nits, b *= to_nits;
    }
    // One factor for the three keeps the hue; brighter than the assumed peak is clipped.
    const float peak = std::max({r, g, b}) / static_cast<float>(kHdrPeak);
    const float gain = t.gain[root_index(peak)] / static_cast<float>(kSdrWhite);
    r *= gain, g *= gain, b *= gain;
    // BT.2020 to BT.709 primaries in linear light. Source: ITU-R BT.2087 (inverse matrix).
    out[i] = t.code[root_index(1.6605F * r - 0.5876F * g - 0.0728F * b)];
    out[i + 1] = t.code[root_index(-0.1246F * r + 1.1329F * g - 0.0083F * b)];
    out[i + 2] = t.code[root_index(-0.0182F * r - 0.1006F * g + 1.1187F * b)];
  }
}

}  // namespace reeltag::media
