#include "font.hpp"

#include <array>

namespace reeltag::make_clips {
namespace {

constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!?.-";
// One row of five pixels per number, top row first, most significant of the five bits on the left.
using Glyph = std::array<std::uint8_t, 7>;
constexpr std::array<Glyph, kCharacters.size()> kGlyphs{{
    {14, 17, 17, 31, 17, 17, 17}, {30, 17, 17, 30, 17, 17, 30}, {14, 17, 16, 16, 16, 17, 14},
    {30, 17, 17, 17, 17, 17, 30}, {31, 16, 16, 30, 16, 16, 31}, {31, 16, 16, 30, 16, 16, 16},
    {14, 17, 16, 23, 17, 17, 15}, {17, 17, 17, 31, 17, 17, 17}, {14, 4, 4, 4, 4, 4, 14},
    {7, 2, 2, 2, 2, 18, 12},      {17, 18, 20, 24, 20, 18, 17}, {16, 16, 16, 16, 16, 16, 31},
    {17, 27, 21, 21, 17, 17, 17}, {17, 25, 21, 19, 17, 17, 17}, {14, 17, 17, 17, 17, 17, 14},
    {30, 17, 17, 30, 16, 16, 16}, {14, 17, 17, 17, 21, 18, 13}, {30, 17, 17, 30, 20, 18, 17},
    {15, 16, 16, 14, 1, 1, 30},   {31, 4, 4, 4, 4, 4, 4},       {17, 17, 17, 17, 17, 17, 14},
    {17, 17, 17, 17, 17, 10, 4},  {17, 17, 17, 21, 21, 27, 17}, {17, 17, 10, 4, 10, 17, 17},
    {17, 17, 10, 4, 4, 4, 4},     {31, 1, 2, 4, 8, 16, 31},     {14, 17, 19, 21, 25, 17, 14},
    {4, 12, 4, 4, 4, 4, 14},      {14, 17, 1, 6, 8, 16, 31},    {30, 1, 1, 14, 1, 1, 30},
    {2, 6, 10, 18, 31, 2, 2},     {31, 16, 30, 1, 1, 17, 14},   {6, 8, 16, 30, 17, 17, 14},
    {31, 1, 2, 4, 8, 8, 8},       {14, 17, 17, 14, 17, 17, 14}, {14, 17, 17, 15, 1, 2, 12},
    {4, 4, 4, 4, 4, 0, 4},        {14, 17, 1, 2, 4, 0, 4},      {0, 0, 0, 0, 0, 12, 12},
    {0, 0, 0, 14, 0, 0, 0},
}};
constexpr int kAdvance = 6, kRows = 7;

}  // namespace

void paint_words(Canvas& canvas, std::string_view words, double at) {
  if (words.empty()) return;
  const int columns = static_cast<int>(words.size()) * kAdvance - 1;
  const int widest = static_cast<int>(0.9 * canvas.width() / columns);
  const int scale = std::max(1, std::min(widest, static_cast<int>(canvas.unit() * 0.1 / kRows)));
  const int left = (canvas.width() - columns * scale) / 2, pad = 2 * scale;
  const int top = static_cast<int>(at * (canvas.height() - kRows * scale - 4 * pad)) + 2 * pad;
  for (int y = top - pad; y < top + kRows * scale + pad; ++y) {
    for (int x = left - pad; x < left + columns * scale + pad; ++x) canvas.mix(x, y, {12, 12, 18}, 0.62);
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto found = kCharacters.find(words[i]);
    if (found == std::string_view::npos) continue;
    for (int k = 0; k < 5 * scale * kRows * scale; ++k) {
      const int column = k % (5 * scale), row = k / (5 * scale);
      if ((kGlyphs[found][static_cast<std::size_t>(row / scale)] >> (4 - column / scale) & 1) == 0) continue;
      canvas.mix(left + static_cast<int>(i) * kAdvance * scale + column, top + row, {250, 250, 250}, 1.0);
    }
  }
}

}  // namespace reeltag::make_clips
