// A version's folder: the bundle's files and version.json, the record of its publication. Private. Functions, any
// thread. Throws Exception: corrupt, naming the file; not_found and invalid_argument for a folder that is not a bundle.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reeltag/registry.hpp"

namespace reeltag::registry {

inline constexpr const char* kRecord = "version.json";

// The evaluation figures of this bundle; "{}" if there are none.
std::string figures_of(const std::filesystem::path& bundle, const std::string& bundle_name);

// Copies the bundle's files, syncs each, and returns what was written. Evaluation results, a record and hidden files
// are not copied.
std::vector<VersionFile> copy_files(const std::filesystem::path& bundle, const std::filesystem::path& to);
std::string digest_of(const std::vector<VersionFile>& files);

void write_record(const std::filesystem::path& folder, const Version& version);
// Reads the record. id and folder are taken from the arguments; the record must be of this id.
Version read_record(const std::filesystem::path& folder, const VersionId& id);
std::string record_digest(const std::filesystem::path& folder);

// Throws unless the folder has exactly the published files with their published bytes.
void check_files(const Version& version);

}  // namespace reeltag::registry
