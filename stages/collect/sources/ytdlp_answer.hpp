// Converts the lines of bridges/ytdlp/ask.py into items and source errors. Functions, any thread. Nothing fails;
// missing fields stay empty.
//
//   Item item = ytdlp_item(line.at("info"));
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"

namespace reeltag::collect {

// An entry of a list: its id and site. Any field may be missing; fields present have the right type.
Item ytdlp_entry(const nlohmann::json& entry);

// A video with the address of its bytes.
Item ytdlp_item(const nlohmann::json& info);

// Sets the item's outcome from {"kind","message","status"}.
void fail_item(const nlohmann::json& error, Item& item);

// The same for a list, or for a whole job.
SourceFailure ytdlp_failure(const nlohmann::json& error);

// Whether the error of one item means that requests are too fast; the item is then requested again, later.
bool is_too_fast(const nlohmann::json& error);

}  // namespace reeltag::collect
