// Holds the current tagging model: loads it in the background and replaces it when its alias points to another version.
// Thread-safe. Shares ownership: a request keeps its model until it ends; the old model is freed with the last.
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
  std::string key;                                  // distinguishes a model retrained under the same name
  std::optional<registry::VersionId> version = {};  // if it is from the registry
};

class ModelSlot {
 public:
  ModelSlot(const Dependencies& dependencies, metrics::Registry& metrics);

  // Null until the first model is loaded.
  [[nodiscard]] std::shared_ptr<const LoadedModel> now() const;
  // Loads the model to serve if it is not loaded; called periodically by one thread. If a model cannot be loaded, this
  // is logged, the previous one stays, and it is retried when its version changes; the very first one throws.
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
