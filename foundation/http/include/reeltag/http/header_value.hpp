// Values of header fields that have parameters: Content-Type, Content-Disposition. Pure functions; any thread.
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

// Nothing where a quote does not end or a parameter stands twice.
std::optional<HeaderValue> parse_header_value(std::string_view text);

// The file's name in a Content-Disposition, without folders; empty where it says none.
std::string file_name_of(std::string_view disposition);

}  // namespace reeltag::http
