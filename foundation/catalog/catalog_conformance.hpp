// Conformance tests for every Catalog implementation. A back end instantiates the suite with a factory.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "error_of.hpp"
#include "reeltag/catalog.hpp"

namespace reeltag::catalog {

// A catalog that is empty at first and can be opened many times, by several processes too; removed with the object.
class CatalogPlace {
 public:
  virtual ~CatalogPlace() = default;
  virtual std::unique_ptr<Catalog> open() = 0;
};

struct CatalogFactory {
  std::string name;
  std::function<std::unique_ptr<CatalogPlace>()> make;
};
inline void PrintTo(const CatalogFactory& factory, std::ostream* out) { *out << factory.name; }

// A valid id; ids sort as their numbers do.
inline std::string id_of(int number) {
  char id[65];
  std::snprintf(id, sizeof id, "%064x", static_cast<unsigned>(number));
  return id;
}

inline Video video_of(int number, std::vector<std::string> hashtags = {}, std::string source = "import") {
  Video video;
  video.id = id_of(number);
  video.key = "videos/" + video.id + ".mp4";
  video.source = std::move(source);
  video.hashtags = std::move(hashtags);
  return video;
}

class CatalogConformance : public testing::TestWithParam<CatalogFactory> {
 protected:
  // The result of get(), with `added` as before add().
  Video stored(const std::string& id) {
    auto video = catalog_->videos.get(id);
    if (!video) {
      ADD_FAILURE() << "no video " << id;
      return {};
    }
    video->added = 0;
    return *video;
  }
  std::vector<std::string> ids(const Filter& filter) {
    std::vector<std::string> ids;
    catalog_->videos.each(filter, [&](const Video& video) { ids.push_back(video.id); });
    return ids;
  }

  std::unique_ptr<CatalogPlace> place_ = GetParam().make();
  std::unique_ptr<Catalog> catalog_ = place_->open();
};

}  // namespace reeltag::catalog
