// Checks and reads the image encoder's weights file. Private. Functions, any thread.
#pragma once

#include <filesystem>

#include "reeltag/model/weights.hpp"

namespace reeltag::model {

// Throws Exception (not_found, corrupt) unless the file is the pinned one, by its SHA-256.
void check_image_encoder(const std::filesystem::path& weights);

// The arrays of a checked file, by name.
Weights read_image_encoder(const std::filesystem::path& weights);

}  // namespace reeltag::model
