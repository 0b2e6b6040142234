// HTTP status codes that sources judge. Private to collect. Constants; any thread. Source: RFC 9110, section 15.
#pragma once

namespace reeltag::collect {

inline constexpr int kUnauthorized = 401, kForbidden = 403, kNotFound = 404, kGone = 410, kTooMany = 429,
                     kServerError = 500;

}  // namespace reeltag::collect
