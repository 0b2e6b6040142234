#include "reeltag/store.hpp"

#include <arrow/filesystem/localfs.h>

#include <memory>

#include "arrow_store.hpp"
#include "local_backend.hpp"
#include "url.hpp"

namespace reeltag::store {

std::unique_ptr<Store> open(const std::string& url) {
  const auto folder = folder_of_url(url);
  make_folders(folder, "opening the store '" + folder.string() + "'");
  return std::make_unique<ArrowStore>(std::make_shared<arrow::fs::LocalFileSystem>(), folder.string(),
                                      url_of_folder(folder), std::make_unique<LocalBackend>(folder));
}

}  // namespace reeltag::store
