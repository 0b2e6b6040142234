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
  static constexpr int kParts = 8;

  // The path of the JPEG: of the video's middle, or of the middle of one of its kParts equal parts, from 1 on.
  Result<std::filesystem::path> get(const catalog::Video& video, int part = 0);
  void remove(const std::string& video);

 private:
  Result<void> make(const catalog::Video& video, int part, const std::filesystem::path& to);

  std::filesystem::path folder_;
  store::Store& store_;
  media::Limits limits_;
  std::counting_semaphore<> turns_{2};
};

}  // namespace reeltag::serve
