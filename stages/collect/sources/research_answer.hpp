// Parses an answer of the Research API into JSON or the SourceFailure it means. Functions, any thread.
//
//   auto data = read_answer(http::send(request, options), code);
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"
#include "reeltag/http.hpp"

namespace reeltag::collect {

// The answer's object, or the failure that its status, its error code or an HTML body means. `code` is set to the API's
// error code ("access_token_invalid"), empty if there is none.
tl::expected<nlohmann::json, SourceFailure> read_answer(const Result<http::Response>& answer, std::string& code);

}  // namespace reeltag::collect
