// What requests say and answers hold, as docs/api/openapi.yaml has it. Private to serve; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "reeltag/catalog/service.hpp"
#include "reeltag/http/exchange.hpp"
#include "reeltag/tag.hpp"

namespace reeltag::serve {

using Json = nlohmann::ordered_json;

// What was found in a video, as the catalog keeps it: all of it, so that it can be shown by any threshold.
std::string tagging_text(const tag::TagResult& tagged);
// Of that, what a threshold shows: the model's own ones where none is given.
Json tags_json(const std::string& video, const std::string& tagging, std::int64_t top,
               const std::optional<double>& threshold);

Json video_json(const catalog::VideoView& view);
Json job_json(const catalog::Job& job, std::int64_t ahead);

http::server::Response json_reply(const Json& json, int status = 200);

// A number of the query within bounds, or what is wrong with it.
Result<std::int64_t> query_number(const http::server::Request& request, std::string_view name, std::int64_t least,
                                  std::int64_t most, std::int64_t otherwise);
Result<std::optional<double>> query_real(const http::server::Request& request, std::string_view name, double least,
                                         double most);
// A JSON object of the body, or the answer that refuses it: 415, 400.
std::variant<nlohmann::json, http::server::Response> body_object(const http::server::Request& request);

// A name from outside as one line of valid UTF-8 of at most so many bytes.
std::string clean_line(std::string_view text, std::size_t most);

// Of UTF-8; bytes that are none count as one each.
std::size_t characters(std::string_view text);

bool is_video_id(std::string_view text);

}  // namespace reeltag::serve
