// Lists videos in an object store through local placeholder files: an empty file per object, while manifests and info
// files are fetched. Label folders, manifests and companion files thus work as they do locally.
// Any thread after construction. Owns the store and the temporary folder. Throws as the store does; an error of one
// object is an Entry or Result.
//
//   auto entries = list_remote("s3://bucket/clips?region=eu-west-1", options);
//   auto stored = entries[0].candidate->remote->visit(entries[0].candidate->file, limits, take_in_file);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "import/manifest.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/ingest.hpp"
#include "reeltag/store.hpp"

namespace reeltag::collect {

class RemoteFolder {
 public:
  explicit RemoteFolder(std::unique_ptr<store::Store> store);

  // Fetches the object of a placeholder file, calls visit with the fetched copy, and removes the copy.
  using Visit = std::function<Result<ingest::IngestedVideo>(const std::filesystem::path& fetched)>;
  Result<ingest::IngestedVideo> visit(const std::filesystem::path& file, const media::Limits& limits,
                                      const Visit& visit);

  // Creates the placeholder files; returns an Entry for each object that has no valid file name.
  std::vector<Entry> lay_out();
  // Fetches a manifest or info file over its placeholder.
  void fetch_in_place(const std::string& key);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  // Replaces the local folder by the object store's address, for paths and messages shown to people.
  [[nodiscard]] std::string remote_path(std::string text) const;

 private:
  void fetch(const std::string& key, const std::filesystem::path& to);

  std::unique_ptr<store::Store> store_;
  TemporaryFolder folder_{"reeltag-import"};
  std::unordered_map<std::string, std::int64_t> sizes_;  // by key
};

// The entries of a URL: a prefix, a manifest or a video. Throws not_found if nothing is there.
ImportList list_remote(const std::string& url, store::Options options, const ListOptions& how);

}  // namespace reeltag::collect
