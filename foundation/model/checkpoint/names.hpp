// Translates other projects' names of MViT's parameters to PySlowFast's. Private. Pure functions on text, any thread.
// Sources: torchvision/models/video/mvit.py (0.29), timm/models/mvitv2.py (1.0), pytorchvideo/models and layers
// (0.1.5), all read for their names; pos_embed_xy from slowfast/utils/checkpoint.py@287ec007.
#pragma once

#include <string>
#include <vector>

namespace reeltag::model {

enum class Naming { slowfast, torchvision, timm, pytorchvideo };
constexpr const char* kNamingNames[] = {"PySlowFast", "torchvision", "timm", "pytorchvideo"};

struct Translation {
  Naming naming = Naming::slowfast;
  std::vector<std::string> names;  // in input order; empty for a name that repeats another parameter
};
Translation translate(const std::vector<std::string>& names);

}  // namespace reeltag::model
