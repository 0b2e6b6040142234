// Parses request parameters and formats response bodies as in docs/api/openapi.yaml. Private to serve; pure functions,
// any thread. Parse errors are a Result or a Response.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reeltag/catalog/service.hpp"
#include "reeltag/http/exchange.hpp"
#include "reeltag/tag.hpp"

namespace reeltag::serve {

using Json = nlohmann::ordered_json;

// A tagging as stored in the catalog: all scores, so that any threshold can be applied later.
std::string tagging_text(const tag::TagResult& tagged);
// The tags above the threshold; the model's own thresholds if none is given.
Json tags_json(const std::string& video, const std::string& tagging, std::int64_t top,
               const std::optional<double>& threshold);

Json video_json(const catalog::VideoView& view);
// Where a visitor's reference could not be fetched the detail is general: messages name resolved addresses. The log has
// the whole one under the job's id.
Json job_json(const catalog::Job& job, std::int64_t ahead);

http::server::Response json_reply(const Json& json, int status = 200);

// A number from the query within bounds, or invalid_argument.
Result<std::int64_t> query_number(const http::server::Request& request, std::string_view name, std::int64_t least,
                                  std::int64_t most, std::int64_t otherwise);
// One page of a whole list: `limit` (1 to 200, default 200) items from `cursor` on, which counts items.
template <class Item>
struct Page {
  std::vector<Item> items;
  std::optional<std::int64_t> next = {};  // the cursor of the next page
};
template <class Item>
Result<Page<Item>> page_of(const http::server::Request& request, std::vector<Item> all) {
  const auto size = static_cast<std::int64_t>(all.size());
  const auto limit = query_number(request, "limit", 1, 200, 200);
  const auto from = query_number(request, "cursor", 1, std::numeric_limits<std::int64_t>::max(), 0);
  if (!limit) return fail(limit.error());
  if (!from) return fail(from.error());
  const auto begin = std::min(*from, size), end = std::min(size, begin + *limit);
  Page<Item> page;
  page.items.assign(std::make_move_iterator(all.begin() + begin), std::make_move_iterator(all.begin() + end));
  if (end < size) page.next = end;
  return page;
}
Json with_next(Json json, const std::optional<std::int64_t>& next);

Result<std::optional<double>> query_real(const http::server::Request& request, std::string_view name, double least,
                                         double most);
// Whether the body is said to be JSON, in any case and with any parameters.
bool is_json(const http::server::Request& request);
// The body's JSON object, or the response that refuses it: 415, 400.
std::variant<nlohmann::json, http::server::Response> body_object(const http::server::Request& request);

// Untrusted text as one line of valid UTF-8 of at most `most` bytes.
std::string clean_line(std::string_view text, std::size_t most);

// Counts UTF-8 characters; each invalid byte counts as one.
std::size_t characters(std::string_view text);

bool is_video_id(std::string_view text);

}  // namespace reeltag::serve
