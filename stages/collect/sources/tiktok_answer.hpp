// Classifies the site's answers and the bridge's errors. Functions, any thread. No failures: anything unexpected is a
// source error.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"

namespace reeltag::collect {

// The object under this key; null if there is none.
const nlohmann::json& object_of(const nlohmann::json& from, const char* key);

// "10000 internal error" if the answer reports an error; else empty.
std::string status_of(const nlohmann::json& answer);

// Whether the site has no hashtag of this name.
bool is_unknown_challenge(const nlohmann::json& answer);

// From {"error","message","body"?} of the bridge.
SourceFailure failure_of(const nlohmann::json& reply);

// Whether the browser session cannot be used any longer.
bool session_is_lost(const nlohmann::json& reply);

}  // namespace reeltag::collect
