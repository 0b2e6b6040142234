// What an answer of the Research API comes to: its JSON, or the failure that it stands for. Functions; any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"
#include "reeltag/http.hpp"

namespace reeltag::collect {

// The answer's object, or what its status, its error code or its being a web page means. `code` becomes the API's own
// word for what is wrong ("access_token_invalid"), empty where there is none.
tl::expected<nlohmann::json, SourceFailure> read_answer(const Result<http::Response>& answer, std::string& code);

}  // namespace reeltag::collect
