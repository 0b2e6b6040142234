// Turns errors of UploadStore and UploadFile into responses. Pure function, any thread.
//
//   if (!file) return refusal_of(file.error());
#pragma once

#include "reeltag/http/exchange.hpp"

namespace reeltag::serve {

// 404, 413, 423 (another request writes), 429 (too many unfinished uploads), 507 (no room).
inline http::server::Response refusal_of(const Error& error) {
  using http::server::problem;
  if (error.code == Code::already_exists) return problem(423, "locked", error.message).with("Retry-After", "1");
  if (error.code == Code::permission_denied)
    return problem(429, "too_many_uploads", error.message).with("Retry-After", "60");
  if (error.code == Code::unavailable) return problem(507, "insufficient_storage", error.message);
  return problem(error);
}

}  // namespace reeltag::serve
