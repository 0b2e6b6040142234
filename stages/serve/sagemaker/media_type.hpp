// Parses Content-Type and Accept: the form of a request and of its response. Functions, any thread. Unsupported types
// give nothing.
#pragma once

#include <optional>
#include <string_view>

#include "reeltag/serve/sagemaker.hpp"

namespace reeltag::serve::sagemaker {

enum class Content { video, json, json_lines };

// From a Content-Type; without one the body is a video. Nothing: not supported.
std::optional<Content> content_of(std::string_view content_type);

// The form that Accept ranks highest; `preferred` if several rank equally. Nothing: it accepts none of them.
std::optional<MediaType> accepted_media_type(std::string_view accept, MediaType preferred);

// The form for exactly this media type.
std::optional<MediaType> media_type_named(std::string_view media_type);

std::string_view content_type_of(MediaType media_type);

}  // namespace reeltag::serve::sagemaker
