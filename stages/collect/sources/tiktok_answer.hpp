// What the site's answers and the bridge's troubles mean. Functions; any thread.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"

namespace reeltag::collect {

// The object of this name; null where there is none.
const nlohmann::json& object_of(const nlohmann::json& from, const char* key);

// "10000 internal error" where an answer says that it is none; else empty.
std::string status_of(const nlohmann::json& answer);

// The site has no hashtag of this name.
bool is_unknown_challenge(const nlohmann::json& answer);

// {"trouble","message","body"?} of the bridge.
SourceFailure failure_of(const nlohmann::json& reply);

// Whether the session is of no more use after it.
bool session_is_lost(const nlohmann::json& reply);

}  // namespace reeltag::collect
