// The files of a frozen dataset: dataset.json and videos.jsonl (docs/adr/0040-dataset-format.md). Thread-safe.
#pragma once

#include <filesystem>
#include <string>

#include "reeltag/dataset.hpp"

namespace reeltag::dataset {

inline constexpr int kFormat = 1;

// The two files' texts and the id that follows from them; set.id and set.created are not read.
struct Files {
  std::string id;
  std::string dataset_json;
  std::string videos_jsonl;
};
Files encode(const Dataset& set, std::int64_t created);

// folder is <root>/<id>. Throws as load() does.
Dataset decode(const std::filesystem::path& folder);
// From dataset.json alone; the videos are not looked at.
Result<Summary> decode_summary(const std::filesystem::path& folder);

}  // namespace reeltag::dataset
