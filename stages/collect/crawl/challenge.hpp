// Detects challenge pages ("are you human?"), in order to stop. Nothing here or elsewhere solves one. Functions, any
// thread; no failures.
//
//   if (is_challenge(page)) stop();
#pragma once

#include <string_view>

namespace reeltag::collect {

// Whether the body begins like an HTML page.
bool is_web_page(std::string_view body);

bool is_challenge(std::string_view page);

}  // namespace reeltag::collect
