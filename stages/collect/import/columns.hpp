// Recognizes the columns of tables and the keys of JSON rows by the names that people give them: file_name, Label,
// "create time". Functions; any thread.
//
//   const Row row(object);
//   if (const json* file = row.find(Field::file)) ...
#pragma once

#include <array>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

namespace reeltag::collect {

enum class Field { file, hashtags, labels, caption, id, group, author, created, site, missing, split };
inline constexpr std::size_t kFieldCount = 11;

// What a column of this name holds. Case, and '_', '-' and spaces between words, do not matter.
std::optional<Field> field_of(std::string_view column);

// One row, a JSON object, by its fields. Refers to the object.
class Row {
 public:
  explicit Row(const nlohmann::json& object);
  // The value of the best-named column: "caption" before "text". Null if there is none.
  [[nodiscard]] const nlohmann::json* find(Field field) const { return values_.at(static_cast<std::size_t>(field)); }
  // The columns that no field is read from, as a JSON object.
  [[nodiscard]] nlohmann::json others() const;

 private:
  const nlohmann::json& object_;
  std::array<const nlohmann::json*, kFieldCount> values_{};
};

}  // namespace reeltag::collect
