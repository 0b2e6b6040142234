// Videos in an object store, listed as if they were files here: an empty file stands for each object, and manifests and
// info files, which say what to import, are fetched. So label folders, manifests and companions mean the same in both.
// Any thread after construction. Throws as the store does; what is wrong with one object is an Entry or Result.
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

  // Fetches the object that file stands for, hands it over for the length of the call, and removes it again.
  using Visit = std::function<Result<ingest::IngestedVideo>(const std::filesystem::path& fetched)>;
  Result<ingest::IngestedVideo> visit(const std::filesystem::path& file, const media::Limits& limits,
                                      const Visit& visit);

  // Lays out the files that stand for the objects; an Entry for each object that none can stand for.
  std::vector<Entry> lay_out();
  // Fetches a file that says what to import into its place.
  void fetch_in_place(const std::string& key);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  // Where the object is, for people: for a path or a message that names the files here.
  [[nodiscard]] std::string remote_path(std::string text) const;

 private:
  void fetch(const std::string& key, const std::filesystem::path& to);

  std::unique_ptr<store::Store> store_;
  TemporaryFolder folder_{"reeltag-import"};
  std::unordered_map<std::string, std::int64_t> sizes_;  // by key
};

// The entries of what a URL names: a prefix, a manifest or a video. Throws not_found where there is nothing.
std::vector<Entry> list_remote(const std::string& url, store::Options options);

}  // namespace reeltag::collect
