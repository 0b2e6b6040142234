// Range and conditional requests: RFC 9110, sections 13 and 14. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reeltag::http::server {

struct ByteRange {
  enum class Kind { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  std::int64_t first = 0, count = 0;
};

// The range that a Range header requests of `size` bytes. Other units and several ranges give the whole (section 14.2).
ByteRange parse_range(std::string_view header, std::int64_t size);

// Whether an If-None-Match header contains this ETag or *; weak comparison.
bool none_match_holds(std::string_view header, std::string_view etag);

// Whether an If-Range header permits the range: the same strong ETag, or exactly this Last-Modified.
bool range_may_stand(std::string_view if_range, std::string_view etag, std::string_view last_modified);

}  // namespace reeltag::http::server
