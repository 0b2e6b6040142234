// Loads, finds and unloads the models of a multi-model endpoint while others serve requests. Thread-safe. Shares
// ownership of models with running requests. load() fails with already_exists, and as the loader does; remove() returns
// once the model's memory is free, or unavailable if requests still hold it after `patience` (new requests no longer
// find it).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "reeltag/serve/sagemaker.hpp"

namespace reeltag::serve::sagemaker {

class Models {
 public:
  explicit Models(Load load) : load_(std::move(load)) {}

  Result<void> load(const std::string& name, const std::string& url);
  Result<void> remove(const std::string& name, std::chrono::milliseconds patience);
  // Null if there is none or it is still loading.
  std::shared_ptr<tag::Model> find(const std::string& name);
  // The URL it was loaded from; nothing in the same cases.
  std::optional<std::string> url_of(const std::string& name);
  // Name and URL of at most `most` models after this name, ordered by name.
  std::vector<std::pair<std::string, std::string>> list(const std::string& after, std::size_t most);

 private:
  struct Entry {
    std::string url = {};
    std::shared_ptr<tag::Model> model = {};  // null: loading
  };

  Load load_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace reeltag::serve::sagemaker
