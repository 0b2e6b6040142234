// Conformance tests for every implementation of Index. Private to tests; one thread. A back end instantiates the suite
// with a factory.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "error_of.hpp"
#include "reeltag/index.hpp"

namespace reeltag::index {

// A location for an index that is initially empty and can be opened many times, also by several processes; it is
// deleted with the object.
class IndexPlace {
 public:
  virtual ~IndexPlace() = default;
  virtual std::unique_ptr<Index> open() = 0;
};

struct IndexFactory {
  std::string name;
  std::function<std::unique_ptr<IndexPlace>()> make;
};
inline void PrintTo(const IndexFactory& factory, std::ostream* out) { *out << factory.name; }

class IndexConformance : public testing::TestWithParam<IndexFactory> {
 protected:
  void texts(const std::string& video, const std::string& caption, std::vector<std::string> typed = {}) {
    const Texts row{.video = video, .caption = caption, .typed = std::move(typed)};
    index_->put_texts({&row, 1});
  }
  void predict(const std::string& video, std::vector<Tag> tags, Model model = {.name = "m"}) {
    const Prediction row{.video = video, .model = std::move(model), .tags = std::move(tags)};
    index_->put_predictions({&row, 1});
  }
  // Returns the videos found, best first.
  std::vector<std::string> found(const std::string& query, std::int64_t limit = 100) {
    std::vector<std::string> videos;
    for (const auto& hit : index_->search(query, limit)) videos.push_back(hit.video);
    return videos;
  }
  // Returns the only hit.
  Hit only(const std::string& query) {
    const auto hits = index_->search(query, 100);
    if (hits.size() == 1) return hits.front();
    ADD_FAILURE() << hits.size() << " videos for " << query;
    return {};
  }

  std::unique_ptr<IndexPlace> place_ = GetParam().make();
  std::unique_ptr<Index> index_ = place_->open();
};

}  // namespace reeltag::index
