// Names, aliases, and what people write to mean a version. Functions; any thread.
//
//   parse_reference("models:/hashtags@champion")   // {.name = "hashtags", .alias = "champion", .strict = true}
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace reeltag::registry {

bool is_name(const std::string& text);
bool is_alias(const std::string& text);
// A version's number as it is written: no sign, no leading zero, at most nine digits. 0 for anything else.
std::int64_t version_number(const std::string& text);

// Exactly one of alias, number and word is set.
struct Reference {
  std::string name = {};  // empty with a word
  std::string alias = {};
  std::int64_t number = 0;
  std::string word = {};  // a name, or an alias of the default name
  bool bare = false;      // a number without a name
  bool strict = false;    // written with models:/, so it can mean nothing else
};
// Nothing for a text that means no version. Throws invalid_argument where it does not but is strict.
std::optional<Reference> parse_reference(const std::string& text);

}  // namespace reeltag::registry
