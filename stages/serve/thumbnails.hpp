// Creates JPEG thumbnails of videos on first request and caches them as files. Thread-safe; renders at most two at a
// time. Refers to the store. Failure: Result of the decoder or the store.
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
  // The path of the JPEG.
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
