#include "reeltag/store.hpp"

#include <arrow/filesystem/localfs.h>
#include <arrow/filesystem/s3fs.h>

#include <memory>

#include "arrow_store.hpp"
#include "key.hpp"
#include "local_backend.hpp"
#include "s3_backend.hpp"
#include "s3_url.hpp"
#include "temporary.hpp"
#include "url.hpp"

namespace reeltag::store {

std::unique_ptr<Store> open(const Options& options) {
  if (is_object_store(options.url)) return open_s3(options);
  const auto folder = folder_of_url(options.url);
  make_folders(folder, "opening the store '" + folder.string() + "'");
  return std::make_unique<ArrowStore>(std::make_shared<arrow::fs::LocalFileSystem>(), folder.string(),
                                      url_of_folder(folder), std::make_unique<LocalBackend>(folder));
}

Result<std::filesystem::path> find_local(Store& store, std::string_view key) try {
  return store.local_path(key);
} catch (const Exception& e) {
  if (e.code() != Code::not_found) throw;
  return fail(e.error());
}

std::unique_ptr<Store> open(const std::string& url) {
  Options options;
  options.url = url;
  return open(options);
}

void check_url(const std::string& url) {
  if (is_object_store(url)) {
    parse_s3_url(url);
  } else {
    folder_of_url(url);
  }
}

bool is_object_store(std::string_view text) { return scheme_of(text) == "s3"; }

bool is_key(std::string_view text) {
  try {
    check_key(text);
    return true;
  } catch (const Exception&) {
    return false;
  }
}

std::optional<Parent> parent_of(const std::string& url) {
  auto place = parse_s3_url(url);
  if (place.prefix.empty()) return std::nullopt;
  const auto slash = place.prefix.rfind('/');
  Parent parent{.url = {}, .name = place.prefix.substr(slash == std::string::npos ? 0 : slash + 1)};
  place.prefix.resize(slash == std::string::npos ? 0 : slash);
  parent.url = s3_url_of(place);
  return parent;
}

void shut_down() {
  // Does nothing if no store was opened. A failure here loses no acknowledged write.
  if (arrow::fs::IsS3Initialized()) (void)arrow::fs::FinalizeS3();
}

}  // namespace reeltag::store
