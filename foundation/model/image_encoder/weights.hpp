// Checks the image encoder's weights file. Private. A function, any thread.
#pragma once

#include <filesystem>

namespace reeltag::model {

// Throws Exception (not_found, corrupt) unless the file is the pinned one, by its SHA-256.
void check_image_encoder(const std::filesystem::path& weights);

}  // namespace reeltag::model
