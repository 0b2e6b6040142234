// One video of a command line through a tagger: a file, a URL, or - for standard input. One thread.
#pragma once

#include <string>

#include "context.hpp"
#include "reeltag/tagger.hpp"

namespace reeltag::app {

Result<tag::TagResult> tag_video(tag::Tagger& tagger, const Context& context, const std::string& video);

}  // namespace reeltag::app
