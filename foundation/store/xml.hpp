// The little XML that S3 answers with: elements without attributes that matter, and text. Views of the caller's bytes;
// any thread; what is malformed is passed over. Bounded by the answer, whose size the HTTP client bounds. Private to
// the store.
//
//   for (auto upload : xml_elements(body, "Upload")) keys.push_back(xml_text(upload, "Key"));
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeltag::store {

// What stands between <name> and </name>, each time.
std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name);

// The text of the first element of this name, with its entities resolved; empty where there is none.
std::string xml_text(std::string_view xml, std::string_view name);

}  // namespace reeltag::store
