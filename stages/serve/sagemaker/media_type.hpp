// What a request comes as and what its answer is to be, from the headers. Any thread.
#pragma once

#include <optional>
#include <string_view>

#include "reeltag/serve/sagemaker.hpp"

namespace reeltag::serve::sagemaker {

enum class Content { video, json, json_lines };

// Of a Content-Type; without one the body is bytes. Nothing: of no kind that is understood.
std::optional<Content> content_of(std::string_view content_type);

// The form that Accept likes best; `preferred` where it leaves that open. Nothing: it accepts none of them.
std::optional<MediaType> accepted_media_type(std::string_view accept, MediaType preferred);

// The form that a media type names exactly.
std::optional<MediaType> media_type_named(std::string_view media_type);

std::string_view content_type_of(MediaType media_type);

}  // namespace reeltag::serve::sagemaker
