// Finds the characters by which text of strangers would act on a terminal, a log or a page in place of being shown: C0
// controls and DEL, C1 controls, line separators, and the marks that change the direction of all that follows
// ("Trojan source", CVE-2021-42574). Marks of a single word (U+200E, U+200F) stay: names in Arabic and Hebrew need
// them. Functions; any thread; nothing fails. Invalid UTF-8 passes as it is.
//
//   const auto shown = without_controls(file_name);
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reeltag {

struct ControlCharacter {
  std::size_t bytes = 0;  // 0: there is none
  char32_t code = 0;
};
// The control character that begins at this byte.
ControlCharacter control_at(std::string_view text, std::size_t at) noexcept;

std::string without_controls(std::string_view text);

}  // namespace reeltag
