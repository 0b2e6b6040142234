// Parses names, aliases, and references to versions. Private. Functions, any thread.
//
//   parse_reference("models:/hashtags@champion")   // {.name = "hashtags", .alias = "champion", .strict = true}
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace reeltag::registry {

bool is_name(const std::string& text);
bool is_alias(const std::string& text);
// Parses a version number: no sign, no leading zero, at most nine digits. Returns 0 for anything else.
std::int64_t version_number(const std::string& text);

// Exactly one of alias, number and word is set.
struct Reference {
  std::string name = {};  // empty with a word
  std::string alias = {};
  std::int64_t number = 0;
  std::string word = {};  // a name, or an alias of the default name
  bool bare = false;      // a number without a name
  bool strict = false;    // written with models:/, which has no other meaning
};
// Returns nullopt for a text that is not a reference; throws invalid_argument if it is not but starts with models:/.
std::optional<Reference> parse_reference(const std::string& text);

}  // namespace reeltag::registry
