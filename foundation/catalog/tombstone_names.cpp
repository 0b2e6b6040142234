#include "tombstone_names.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include "check_video.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/random.hpp"

namespace reeltag::catalog {

std::string_view kind_name(Forgettable kind) {
  switch (kind) {
    case Forgettable::video:
      return "video";
    case Forgettable::post:
      return "post";
    case Forgettable::author:
      return "author";
    case Forgettable::download:
      return "download";
  }
  return "";
}

std::string tombstone_name(std::string_view salt, Forgettable kind, std::string_view value) {
  Sha256 hash;
  hash.update(salt);
  hash.update(kind_name(kind));
  hash.update(" ");
  hash.update(value);
  return hex(hash.finish());
}

std::string random_salt() { return random_hex(32); }

void check_forgettable(Forgettable kind, std::string_view value) {
  const std::string what = "the " + std::string(kind_name(kind)) + " to forget";
  check_text(value, what);
  const bool wanted_digits = kind == Forgettable::video || kind == Forgettable::author;
  const bool digits = is_hex(value, 64);
  if (wanted_digits && !digits) {
    throw Exception(Code::invalid_argument, what + " is not a SHA-256 of 64 lower-case hex digits");
  }
  const auto colon = value.find(':');
  if (kind == Forgettable::post && (colon == 0 || colon == std::string_view::npos || colon + 1 == value.size())) {
    throw Exception(Code::invalid_argument, what + " is not SITE:ID");
  }
  if (value.empty()) throw Exception(Code::invalid_argument, what + " is empty");
}

bool TombstoneSet::holds(Forgettable kind, std::string_view value) const {
  return !names_.empty() && names_.contains(tombstone_name(salt_, kind, value));
}

}  // namespace reeltag::catalog
