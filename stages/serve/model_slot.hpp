// The model that tags now: loaded in the background, replaced when the alias that it follows names another version.
// ModelSlot: thread-safe. Who was given a model keeps it until its request is over; the old one goes with the last.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "reeltag/base/metrics.hpp"
#include "reeltag/serve.hpp"

namespace reeltag::serve {

struct LoadedModel {
  std::shared_ptr<tag::Model> model;
  std::string label;                                // "hashtags@3", or the bundle's name
  std::string key;                                  // tells apart what was trained anew under an old name
  std::optional<registry::VersionId> version = {};  // in the registry
};

class ModelSlot {
 public:
  ModelSlot(const Dependencies& dependencies, metrics::Registry& metrics);

  // Null until the first model is loaded.
  [[nodiscard]] std::shared_ptr<const LoadedModel> now() const;
  // Loads what is to be served, if it is not yet; called by one thread, now and then. A model that cannot be loaded is
  // logged, the one before goes on, and it is tried again when its version changes; the very first one throws.
  void follow();

 private:
  void serve(const std::filesystem::path& folder, const std::optional<registry::VersionId>& version);

  const Dependencies& dependencies_;
  metrics::Registry& metrics_;
  registry::Registry registry_;
  std::optional<registry::Watch> watch_;
  std::string name_;
  mutable std::mutex mutex_;
  std::shared_ptr<const LoadedModel> loaded_;
  metrics::Gauge* info_ = nullptr;
};

}  // namespace reeltag::serve
