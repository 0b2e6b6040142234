// Parses the body of a request into the videos to tag, by reference or as base64. Any thread; plain values.
// {"s3_uri"|"url"|"b64"|"base64":text, "id"?, "top"?, "threshold"?, "deadline"?}; {"instances":[...], the same for
// all?}; JSON Lines: one such object per line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "media_type.hpp"

namespace reeltag::serve::sagemaker {

enum class InputKind { body, base64, url, s3 };

struct Overrides {
  std::optional<int> top = {};
  std::optional<double> threshold = {};
  std::optional<double> deadline = {};  // seconds for the whole request
};

struct Item {
  InputKind where = InputKind::body;
  std::string value = {};  // the base64, URL or s3:// URI
  Overrides overrides = {};
};

struct Entry {
  std::string name;  // its name in the response
  Result<Item> item;
};

struct InvocationRequest {
  bool many = false;  // a list: the error of an entry is reported in its position
  std::vector<Entry> entries = {};
  std::optional<double> deadline = {};  // the shortest one requested
};

// Fails if the whole text is invalid, or if it names a single video and that entry is invalid.
Result<InvocationRequest> parse_request(Content content, std::string_view text);

// "top", "threshold", "deadline" from the query, for a request whose body is the video.
Result<Overrides> overrides_of(const http::server::Pairs& query);

}  // namespace reeltag::serve::sagemaker
