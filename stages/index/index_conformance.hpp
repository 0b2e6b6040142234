// What every Index must do, whatever database lies underneath. A back end instantiates the suite with a factory.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "reeltag/index.hpp"

namespace reeltag::index {

// An index that is empty at first and can be opened many times, by several processes too; it goes away with the object.
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

// What f throws.
template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Exception& e) {
    return e.error();
  }
  ADD_FAILURE() << "no Exception";
  return {};
}

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
  // The videos found, best first.
  std::vector<std::string> found(const std::string& query, std::int64_t limit = 100) {
    std::vector<std::string> videos;
    for (const auto& hit : index_->search(query, limit)) videos.push_back(hit.video);
    return videos;
  }
  // The only video found.
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
