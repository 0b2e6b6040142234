// Telling a page that asks "are you human?" from other pages. It is recognised in order to stop; nothing here, or
// anywhere, solves one. Functions; any thread.
#pragma once

#include <string_view>

namespace reeltag::collect {

// Whether an answer is a web page, by its beginning.
bool is_web_page(std::string_view body);

bool is_challenge(std::string_view page);

}  // namespace reeltag::collect
