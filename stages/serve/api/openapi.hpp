// The API's description, docs/api/openapi.yaml, compiled in. Private to serve; any thread.
#pragma once

#include <string>

namespace reeltag::serve {

// As JSON. Throws Exception(internal) if it is not valid YAML, which a test would catch.
const std::string& openapi_json();

}  // namespace reeltag::serve
