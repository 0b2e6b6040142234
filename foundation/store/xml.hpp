// Minimal parser for S3's XML responses: elements without attributes, and text. Returns views of the caller's bytes;
// any thread; skips malformed input. The HTTP client bounds the size of the response. Private to the store.
//
//   for (auto upload : xml_elements(body, "Upload")) keys.push_back(xml_text(upload, "Key"));
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeltag::store {

// The content between <name> and </name>, for each occurrence.
std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name);

// The text of the first element with this name, entities resolved; empty if there is none.
std::string xml_text(std::string_view xml, std::string_view name);

}  // namespace reeltag::store
