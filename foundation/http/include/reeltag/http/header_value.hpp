// Parses header fields with parameters: Content-Type, Content-Disposition. Pure functions; any thread.
//
//   parse_header_value("form-data; name=\"a\"")->find("name");       // "a"
//   file_name_of("attachment; filename=\"C:\\my\\dance.mp4\"");     // "dance.mp4"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeltag::http {

// `form-data; name="a"; filename="b.mp4"`.
struct HeaderValue {
  std::string value = {};                                            // lower case
  std::vector<std::pair<std::string, std::string>> parameters = {};  // names in lower case

  [[nodiscard]] const std::string* find(std::string_view name) const;
};

// nullopt if a quote is not closed or a parameter occurs twice.
std::optional<HeaderValue> parse_header_value(std::string_view text);

// The file name of a Content-Disposition, without folders; empty if there is none.
std::string file_name_of(std::string_view disposition);

}  // namespace reeltag::http
