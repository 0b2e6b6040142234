#include "reeltag/media/fingerprint.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <tuple>

#include "reeltag/base/disjoint_sets.hpp"

namespace reeltag::media {
namespace {

constexpr int kVersion = 1;  // a new version makes all fingerprints be recomputed
constexpr int kSide = 32;    // of the picture to transform
constexpr int kLow = 8;      // frequencies kept in each direction

// A dark and uniform border of every picture is a bar, not part of the picture.
constexpr float kBarLuma = 48.0F;
constexpr float kBarRange = 12.0F;
constexpr double kMaxTrimmed = 0.4;  // at each side

// Standard deviation of the luma, of 255. Below it there is no structure, only coding noise.
constexpr float kFlat = 4.0F;

struct Plane {
  int width = 0, height = 0;
  std::vector<float> luma;
  [[nodiscard]] float at(int x, int y) const { return luma[static_cast<std::size_t>(y) * width + x]; }
};

Plane luma_of(const Frames& frames, int t) {
  Plane plane{.width = frames.width, .height = frames.height, .luma = {}};
  const auto rgb = frames.frame(t);
  plane.luma.reserve(rgb.size() / 3);
  // Source: ITU-R BT.601-7, 2.5.1.
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
    plane.luma.push_back(0.299F * static_cast<float>(rgb[i]) + 0.587F * static_cast<float>(rgb[i + 1]) +
                         0.114F * static_cast<float>(rgb[i + 2]));
  }
  return plane;
}

struct Box {
  int left = 0, top = 0, right = 0, bottom = 0;  // right and bottom are exclusive
};

bool is_bar(const std::vector<Plane>& planes, bool row, int at) {
  for (const auto& plane : planes) {
    float low = 255.0F, high = 0.0F;
    const int length = row ? plane.width : plane.height;
    for (int i = 0; i < length; ++i) {
      const float luma = row ? plane.at(i, at) : plane.at(at, i);
      low = std::min(low, luma);
      high = std::max(high, luma);
    }
    if (high > kBarLuma || high - low > kBarRange) return false;
  }
  return true;
}

Box without_bars(const std::vector<Plane>& planes) {
  const int width = planes.front().width, height = planes.front().height;
  const int most_x = static_cast<int>(width * kMaxTrimmed), most_y = static_cast<int>(height * kMaxTrimmed);
  Box box{.right = width, .bottom = height};
  while (box.top < most_y && is_bar(planes, true, box.top)) ++box.top;
  while (height - box.bottom < most_y && is_bar(planes, true, box.bottom - 1)) --box.bottom;
  while (box.left < most_x && is_bar(planes, false, box.left)) ++box.left;
  while (width - box.right < most_x && is_bar(planes, false, box.right - 1)) --box.right;
  return box;
}

using Square = std::array<std::array<float, kSide>, kSide>;

// The mean over [from, to) of a line; either end may lie inside a pixel.
template <class At>
float mean_over(double from, double to, const At& at) {
  double sum = 0.0;
  for (int i = static_cast<int>(from); i < to; ++i) sum += at(i) * (std::min(to, i + 1.0) - std::max(from, double(i)));
  return static_cast<float>(sum / (to - from));
}

Square shrunk(const Plane& plane, const Box& box) {
  const double step_x = static_cast<double>(box.right - box.left) / kSide;
  const double step_y = static_cast<double>(box.bottom - box.top) / kSide;
  std::vector<std::array<float, kSide>> rows(static_cast<std::size_t>(plane.height));
  for (int y = box.top; y < box.bottom; ++y) {
    for (int x = 0; x < kSide; ++x) {
      rows[y][x] = mean_over(box.left + x * step_x, box.left + (x + 1) * step_x,
                             [&](int i) { return plane.at(std::min(i, box.right - 1), y); });
    }
  }
  Square square{};
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      square[y][x] = mean_over(box.top + y * step_y, box.top + (y + 1) * step_y,
                               [&](int i) { return rows[std::min(i, box.bottom - 1)][x]; });
    }
  }
  return square;
}

bool is_flat(const Square& square) {
  double sum = 0.0, squares = 0.0;
  for (const auto& row : square) {
    for (const float luma : row) {
      sum += luma;
      squares += static_cast<double>(luma) * luma;
    }
  }
  constexpr double kPixels = kSide * kSide;
  return squares / kPixels - (sum / kPixels) * (sum / kPixels) < kFlat * kFlat;
}

// cos(pi (2x + 1) k / 2N) for k = 1 ... 8: the DCT-II without its constant.
const std::array<std::array<float, kSide>, kLow>& cosines() {
  static const auto table = [] {
    std::array<std::array<float, kSide>, kLow> made{};
    for (int k = 0; k < kLow; ++k) {
      for (int x = 0; x < kSide; ++x)
        made[k][x] = static_cast<float>(std::cos(std::numbers::pi * (2 * x + 1) * (k + 1) / (2.0 * kSide)));
    }
    return made;
  }();
  return table;
}

// One bit for each of the 8 x 8 lowest frequencies except the constant ones: whether it is above their median.
// Source: C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), 3.2.1 (pHash).
std::uint64_t hash_of(const Square& square) {
  const auto& cosine = cosines();
  std::array<std::array<float, kSide>, kLow> partial{};
  for (int k = 0; k < kLow; ++k) {
    for (int y = 0; y < kSide; ++y)
      partial[k][y] = std::inner_product(cosine[k].begin(), cosine[k].end(), square[y].begin(), 0.0F);
  }
  std::array<float, std::size_t{kLow} * kLow> bands{};
  for (int u = 0; u < kLow; ++u) {
    for (int v = 0; v < kLow; ++v)
      bands[u * kLow + v] = std::inner_product(cosine[v].begin(), cosine[v].end(), partial[u].begin(), 0.0F);
  }
  auto sorted = bands;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const float median = sorted[sorted.size() / 2];
  std::uint64_t bits = 0;
  for (const float band : bands) bits = bits << 1 | (band >= median ? 1 : 0);
  return bits;
}

// The largest difference between durations of copies: a short cut, and rounding by containers.
double tolerance(double duration) { return std::max(0.5, 0.03 * duration); }

// Measured (docs/adr/0043): the more similar half of a copy's frames differs in up to 7 bits each on average.
constexpr int kMaxBits = 7;
constexpr std::size_t kMinFrames = 3;  // flat in neither of the two videos
constexpr unsigned kChunks = 4;        // of 16 bits each

// Joins look-alikes among the fingerprints that are equal in one chunk of 16 bits; sorts by duration, so that only
// neighbors need comparing.
void join_equal(std::span<const Fingerprint> fingerprints, std::size_t frame, unsigned chunk, DisjointSets& clusters) {
  struct Entry {
    std::uint16_t bits;
    double duration;
    std::size_t index;
  };
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < fingerprints.size(); ++i) {
    const auto& bits = fingerprints[i].frames[frame];
    if (bits) entries.push_back({static_cast<std::uint16_t>(*bits >> (16 * chunk)), fingerprints[i].duration, i});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.bits, a.duration, a.index) < std::tie(b.bits, b.duration, b.index);
  });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    for (std::size_t k = i + 1; k < entries.size() && entries[k].bits == entries[i].bits; ++k) {
      if (entries[k].duration - entries[i].duration > tolerance(entries[k].duration)) break;
      const auto a = entries[i].index, b = entries[k].index;
      if (clusters.first_of(a) != clusters.first_of(b) && look_alike(fingerprints[a], fingerprints[b])) {
        clusters.join(a, b);
      }
    }
  }
}

}  // namespace

std::vector<double> fingerprint_times(double duration) {
  std::vector<double> times;
  for (std::size_t i = 0; i < kFingerprintFrames; ++i)
    times.push_back(duration * (static_cast<double>(i) + 0.5) / static_cast<double>(kFingerprintFrames));
  return times;
}

Fingerprint fingerprint_of(const Frames& frames, double duration) {
  Fingerprint fingerprint{.duration = duration, .frames = {}};
  const auto count = std::min<std::size_t>(kFingerprintFrames, static_cast<std::size_t>(frames.count));
  if (count == 0 || frames.width <= 0 || frames.height <= 0) return fingerprint;
  std::vector<Plane> planes;
  for (std::size_t t = 0; t < count; ++t) planes.push_back(luma_of(frames, static_cast<int>(t)));
  const auto box = without_bars(planes);
  for (std::size_t t = 0; t < count; ++t) {
    const auto square = shrunk(planes[t], box);
    if (!is_flat(square)) fingerprint.frames[t] = hash_of(square);
  }
  return fingerprint;
}

std::string to_text(const Fingerprint& fingerprint) {
  char text[32];
  std::snprintf(text, sizeof text, "%d %.3f", kVersion, fingerprint.duration);
  std::string out = text;
  for (const auto& frame : fingerprint.frames) {
    if (frame) {
      std::snprintf(text, sizeof text, " %016llx", static_cast<unsigned long long>(*frame));
      out += text;
    } else {
      out += " -";
    }
  }
  return out;
}

std::optional<Fingerprint> fingerprint_from(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (words.size() != kFingerprintFrames + 2 || words[0] != std::to_string(kVersion)) return std::nullopt;
  Fingerprint fingerprint;
  const auto whole = [](const std::from_chars_result& read, std::string_view word) {
    return read.ec == std::errc{} && read.ptr == word.data() + word.size();
  };
  const auto seconds = words[1];
  if (!whole(std::from_chars(seconds.data(), seconds.data() + seconds.size(), fingerprint.duration), seconds)) {
    return std::nullopt;
  }
  if (!std::isfinite(fingerprint.duration)) return std::nullopt;
  for (std::size_t i = 0; i < kFingerprintFrames; ++i) {
    const auto word = words[i + 2];
    if (word == "-") continue;
    std::uint64_t bits = 0;
    if (!whole(std::from_chars(word.data(), word.data() + word.size(), bits, 16), word)) return std::nullopt;
    fingerprint.frames[i] = bits;
  }
  return fingerprint;
}

bool look_alike(const Fingerprint& a, const Fingerprint& b) {
  if (std::abs(a.duration - b.duration) > tolerance(std::max(a.duration, b.duration))) return false;
  std::array<int, kFingerprintFrames> bits{};  // number of differing bits, fewest first
  std::size_t matched = 0;
  for (std::size_t i = 0; i < kFingerprintFrames; ++i) {
    if (!a.frames[i] || !b.frames[i]) continue;
    const int differ = std::popcount(*a.frames[i] ^ *b.frames[i]);
    std::size_t at = matched++;
    for (; at > 0 && bits[at - 1] > differ; --at) bits[at] = bits[at - 1];
    bits[at] = differ;
  }
  if (matched < kMinFrames) return false;
  const std::size_t nearest = (matched + 1) / 2;
  int sum = 0;
  for (std::size_t i = 0; i < nearest; ++i) sum += bits[i];
  return sum <= kMaxBits * static_cast<int>(nearest);
}

std::vector<std::size_t> clusters_of(std::span<const Fingerprint> fingerprints) {
  DisjointSets clusters(fingerprints.size());
  for (std::size_t frame = 0; frame < kFingerprintFrames; ++frame) {
    for (unsigned chunk = 0; chunk < kChunks; ++chunk) join_equal(fingerprints, frame, chunk, clusters);
  }
  std::vector<std::size_t> first(fingerprints.size());
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = clusters.first_of(i);
  return first;
}

}  // namespace reeltag::media
