// What lies in a version's folder: the bundle's files and version.json, the record of its publishing.
// Functions; any thread. Throws Exception: corrupt, naming the file; not_found, invalid_argument for what is no bundle.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reeltag/registry.hpp"

namespace reeltag::registry {

inline constexpr const char* kRecord = "version.json";

// The figures of the evaluation of this bundle; "{}" where there is none.
std::string figures_of(const std::filesystem::path& bundle, const std::string& bundle_name);

// Copies the bundle's files, each flushed to the disk, and says what was written. Results of evaluations, a record and
// hidden files stay behind.
std::vector<VersionFile> copy_files(const std::filesystem::path& bundle, const std::filesystem::path& to);
std::string digest_of(const std::vector<VersionFile>& files);

void write_record(const std::filesystem::path& folder, const Version& version);
// id and folder are taken as given; the record must be of this id.
Version read_record(const std::filesystem::path& folder, const VersionId& id);
std::string record_digest(const std::filesystem::path& folder);

// Every file is there with the bytes of its publishing, and no other.
void check_files(const Version& version);

}  // namespace reeltag::registry
