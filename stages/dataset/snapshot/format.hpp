// Encodes and decodes the files of a frozen dataset: dataset.json and videos.jsonl (docs/adr/0040-dataset-format.md).
// Functions, any thread. Failure: Exception as in load(), or Result.
#pragma once

#include <filesystem>
#include <string>

#include "reeltag/dataset.hpp"

namespace reeltag::dataset {

inline constexpr int kFormat = 2;
// What freeze() writes. kFormat marks a set from which videos were removed, so that older programs reject it.
inline constexpr int kFrozenFormat = 1;

// The contents of the two files and the id derived from them; set.id and set.created are not read.
struct Files {
  std::string id;
  std::string dataset_json;
  std::string videos_jsonl;
};
Files encode(const Dataset& set, std::int64_t created);

// The files of a set after a removal: a new dataset.json, and the videos under a new name.
struct RedactedFiles {
  std::string dataset_json;
  std::string videos_name;
  std::string videos_jsonl;
};
RedactedFiles encode_redacted(const Dataset& set);
// The file in the folder that holds the videos.
std::filesystem::path videos_file(const std::filesystem::path& folder);

// folder is <root>/<id>. Throws as load() does.
Dataset decode(const std::filesystem::path& folder);
// From dataset.json alone; does not read the videos.
Result<Summary> decode_summary(const std::filesystem::path& folder);

}  // namespace reeltag::dataset
