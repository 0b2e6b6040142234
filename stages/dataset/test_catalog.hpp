// Test fixture: a catalog and a store with generated videos in a temporary folder. One thread. Throws as catalog and
// store do.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/catalog.hpp"
#include "reeltag/media/fingerprint.hpp"
#include "reeltag/store.hpp"

namespace reeltag::dataset {

class TestCatalog {
 public:
  TestCatalog()
      : catalog(catalog::open((home.path() / "catalog.db").string())),
        store(store::open((home.path() / "store").string())) {}

  // Adds a video and returns its id, which depends on the name only.
  std::string add(const std::string& name, const std::string& group, const std::vector<std::string>& hashtags,
                  const std::string& source = "import") {
    catalog::Video v;
    v.id = hex(sha256(name));
    v.key = "videos/" + v.id + ".mp4";
    v.source = source;
    v.group = group;
    v.hashtags = hashtags;
    v.caption = "caption of " + name;
    v.duration = 1.0;
    v.width = v.height = 16;
    v.codec = "h264";
    v.size_bytes = static_cast<std::int64_t>(name.size());
    store->put(v.key, name);
    catalog->videos.add(v);
    return v.id;
  }
  // Adds a video with a fingerprint derived from `look`: equal numbers are copies.
  std::string add_related(const std::string& name, const std::string& group, const std::string& author, unsigned look,
                          std::optional<std::int64_t> created = {}) {
    catalog::Video v;
    v.id = hex(sha256(name));
    v.key = "videos/" + v.id + ".mp4";
    v.source = "import";
    v.group = group;
    v.author = author;
    v.hashtags = {"fyp"};
    v.caption = "caption of " + name;
    v.created = created;
    store->put(v.key, name);
    media::Fingerprint print{.duration = 5.0};
    std::mt19937_64 random(look);
    for (auto& frame : print.frames) frame = random();
    catalog->record({.video = v, .fingerprint = media::to_text(print)});
    return v.id;
  }
  // Adds forty videos in twenty groups: even ones a cat, odd ones a dog, every fifth neither.
  void add_forty() {
    for (int i = 0; i < 40; ++i) {
      std::vector<std::string> hashtags{"fyp"};
      if (i % 5 != 0) hashtags.push_back(i % 2 == 0 ? "cat" : "dog");
      add("video " + std::to_string(i), "group " + std::to_string(i / 2), hashtags);
    }
  }
  [[nodiscard]] std::filesystem::path root() const { return home.path() / "datasets"; }

  TemporaryFolder home;
  std::unique_ptr<catalog::Catalog> catalog;
  std::unique_ptr<store::Store> store;
};

}  // namespace reeltag::dataset
