// Small pictures of videos, made when first asked for and kept as files. Thread-safe; two are made at a time.
#pragma once

#include <filesystem>
#include <semaphore>
#include <string>

#include "reeltag/catalog.hpp"
#include "reeltag/media.hpp"
#include "reeltag/store.hpp"

namespace reeltag::serve {

class Thumbnails {
 public:
  Thumbnails(std::filesystem::path folder, store::Store& store, media::Limits limits);
  // The file, a JPEG.
  Result<std::filesystem::path> get(const catalog::Video& video);
  void remove(const std::string& video);

 private:
  Result<void> make(const catalog::Video& video, const std::filesystem::path& to);

  std::filesystem::path folder_;
  store::Store& store_;
  media::Limits limits_;
  std::counting_semaphore<> turns_{2};
};

}  // namespace reeltag::serve
