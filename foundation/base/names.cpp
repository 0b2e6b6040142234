#include <algorithm>
#include <cctype>
#include <numeric>

#include "reeltag/base/config.hpp"

namespace reeltag::config {
namespace {

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

// Optimal string alignment: Levenshtein with swaps of neighbors, keeping three rows of the table.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates) {
  const auto wanted = folded(name);
  // Accepts errors in a third of the letters, or in two for names of more than three letters; a suggestion farther away
  // would mislead. A name that extends another one ("epoch", "max_epochs") also counts as near.
  const std::size_t allowed = wanted.size() <= 3 ? 1 : std::max<std::size_t>(2, wanted.size() / 3);
  std::optional<std::string> nearest;
  std::size_t best = allowed + 1;
  for (const auto& candidate : candidates) {
    const auto other = folded(candidate);
    auto distance = edit_distance(wanted, other);
    const bool part = wanted.size() > 3 && other.size() > 3 &&
                      (other.find(wanted) != std::string::npos || wanted.find(other) != std::string::npos);
    if (part) distance = std::min(distance, allowed);
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace reeltag::config
