// What yt-dlp says of one video, or why it says nothing, in the words of a source. The lines are those of
// bridges/ytdlp/ask.py. Functions; any thread.
//
//   Item item = ytdlp_item(line.at("info"));
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "crawl/source.hpp"

namespace reeltag::collect {

// An entry of a list: its id and site. Anything may be missing; what is there is of the right kind.
Item ytdlp_entry(const nlohmann::json& entry);

// A video with the address of its bytes.
Item ytdlp_item(const nlohmann::json& info);

// {"kind","message","status"} of an item, as its outcome.
void fail_item(const nlohmann::json& error, Item& item);

// The same of a list, or of all that was asked.
SourceFailure ytdlp_failure(const nlohmann::json& error);

// Whether what is said of one item is said to whoever asks too fast: it is asked for again, later.
bool is_too_fast(const nlohmann::json& error);

}  // namespace reeltag::collect
