// The models of a multi-model endpoint: loaded, looked up and let go while others answer. Thread-safe.
// load() fails with already_exists, and as the loader does; remove() returns when the model's memory is free, or says
// unavailable when requests still hold it after a while (it is gone for new ones all the same).
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
  // Nothing where there is none, or it is still loading.
  std::shared_ptr<tag::Model> find(const std::string& name);
  // Where it came from; nothing likewise.
  std::optional<std::string> url_of(const std::string& name);
  // Name and URL of those behind this name, in the order of names.
  std::vector<std::pair<std::string, std::string>> list(const std::string& after, std::size_t most);

 private:
  struct Entry {
    std::string url = {};
    std::shared_ptr<tag::Model> model = {};  // nothing: loading
  };

  Load load_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace reeltag::serve::sagemaker
