// The API's description, docs/api/openapi.yaml, which is compiled in. Private to serve; any thread.
#pragma once

#include <string>

namespace reeltag::serve {

// As JSON. Throws Exception(internal) for a description that is no YAML, which a test would have found.
const std::string& openapi_json();

}  // namespace reeltag::serve
