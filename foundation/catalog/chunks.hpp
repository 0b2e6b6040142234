// Batches rows into multi-row statements: a round trip to a server costs more than a row. Private to the catalog.
//
//   in_chunks(std::span(links), [&](auto chunk) { database.query("INSERT ... VALUES " + rows_text(chunk.size(), 4));
//   });
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

namespace reeltag::catalog {

// Uses few chunk sizes, so that few statements are prepared.
template <class Item, class Run>
void in_chunks(std::span<Item> items, const Run& run) {
  for (const std::size_t size : std::array<std::size_t, 3>{64, 8, 1}) {
    for (; items.size() >= size; items = items.subspan(size)) run(items.first(size));
  }
}

// "($1, $2), ($3, $4)" for two rows of two columns.
inline std::string rows_text(std::size_t rows, std::size_t columns) {
  std::string text;
  std::size_t n = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    text += row == 0 ? "(" : ", (";
    for (std::size_t column = 0; column < columns; ++column) {
      text.append(column == 0 ? "$" : ", $").append(std::to_string(++n));
    }
    text += ")";
  }
  return text;
}

}  // namespace reeltag::catalog
