// What the text of a request asks for: videos by reference or as base64. Any thread; plain values.
// {"s3_uri"|"url"|"b64"|"base64":text, "id"?, "top"?, "threshold"?, "deadline"?}; {"instances":[...], the same for
// all?}; in JSON Lines one such object a line.
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
  std::string name;  // what the answer calls it
  Result<Item> item;
};

struct InvocationRequest {
  bool many = false;  // a list: what is wrong with one entry is said in its place
  std::vector<Entry> entries = {};
  std::optional<double> deadline = {};  // the shortest that is wished for
};

// Fails where the text as a whole is of no use, or the only video that it names is not named well.
Result<InvocationRequest> parse_request(Content content, std::string_view text);

// "top", "threshold", "deadline" as texts, for a request whose body is the video.
Result<Overrides> overrides_of(const http::server::Pairs& query);

}  // namespace reeltag::serve::sagemaker
