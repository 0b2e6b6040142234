// What the commands that fill the index share, with and without libtorch. One thread.
#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace reeltag::app {

struct IndexReport {
  std::int64_t indexed = 0;  // now
  std::int64_t already = 0;  // had their row before
  std::int64_t failed = 0;   // each one was reported
};
void print_indexed(const Context& context, const IndexReport& indexed, index::Index& index);

// How the index calls a video, and what the catalog says about it.
struct LibraryEntry {
  std::string video;
  std::optional<index::Texts> texts = {};
  bool forgotten = false;  // it must not get a row
};
// A video that the catalog has (a file with the same bytes, or the store's own file) goes by its id; any other file by
// its full path, so that one file has one row; all else by the name it was given.
LibraryEntry list_video(catalog::Catalog& catalog, const std::string& name);

// Counts and reports a file that list_video() calls forgotten.
void refuse_forgotten(Context& context, const std::string& name, IndexReport& counts);

// Captions and typed hashtags of everything in the catalog. Returns how many videos it has.
std::int64_t put_catalog_texts(catalog::Catalog& catalog, index::Index& index);

// Name and version of the model in a bundle's folder.
index::Model model_in(const std::filesystem::path& bundle);

}  // namespace reeltag::app
