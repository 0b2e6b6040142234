// The files of a frozen dataset: dataset.json and videos.jsonl (docs/adr/0040-dataset-format.md). Thread-safe.
#pragma once

#include <filesystem>
#include <string>

#include "reeltag/dataset.hpp"

namespace reeltag::dataset {

inline constexpr int kFormat = 2;
// What freeze() writes. The higher one is that of a set from which something was taken out, so that a program that does
// not know of it says so.
inline constexpr int kFrozenFormat = 1;

// The two files' texts and the id that follows from them; set.id and set.created are not read.
struct Files {
  std::string id;
  std::string dataset_json;
  std::string videos_jsonl;
};
Files encode(const Dataset& set, std::int64_t created);

// The files of a set from which videos were taken out: another dataset.json, and the videos under another name.
struct RedactedFiles {
  std::string dataset_json;
  std::string videos_name;
  std::string videos_jsonl;
};
RedactedFiles encode_redacted(const Dataset& set);
// The file in the folder that has the videos.
std::filesystem::path videos_file(const std::filesystem::path& folder);

// folder is <root>/<id>. Throws as load() does.
Dataset decode(const std::filesystem::path& folder);
// From dataset.json alone; the videos are not looked at.
Result<Summary> decode_summary(const std::filesystem::path& folder);

}  // namespace reeltag::dataset
