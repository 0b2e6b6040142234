#include "model_slot.hpp"

#include "reeltag/base/file.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::serve {
namespace {

constexpr std::int64_t kMaxBundleBytes = 64 << 20;

}  // namespace

ModelSlot::ModelSlot(const Dependencies& dependencies, metrics::Registry& metrics)
    : dependencies_(dependencies), metrics_(metrics), registry_(dependencies.home / "models") {
  const auto at = dependencies.model.find('@');
  if (dependencies.model.empty()) {
    name_ = registry::kDefaultName;
    watch_.emplace(registry_.folder(), name_, registry::kChampion);
  } else if (at != std::string::npos && dependencies.model.find('/') == std::string::npos) {
    name_ = dependencies.model.substr(0, at);
    watch_.emplace(registry_.folder(), name_, dependencies.model.substr(at + 1));
  }
}

std::shared_ptr<const LoadedModel> ModelSlot::now() const {
  const std::lock_guard lock(mutex_);
  return loaded_;
}

void ModelSlot::serve(const std::filesystem::path& folder, const std::optional<registry::VersionId>& version) {
  const auto start = std::chrono::steady_clock::now();
  auto next = std::make_shared<LoadedModel>();
  next->model = dependencies_.load(folder);
  next->version = version;
  next->label = version ? version->name + "@" + std::to_string(version->number) : next->model->name();
  next->key = content_id(value_or_throw(read_file(folder / "bundle.json", kMaxBundleBytes)));
  {
    const std::lock_guard lock(mutex_);
    loaded_ = next;
  }
  if (info_ != nullptr) info_->set(0);
  info_ = &metrics_.gauge("reeltag_model_info", "The model that tags now",
                          {{"name", next->model->name()}, {"version", next->label}});
  info_->set(1);
  log::info(
      "model_served",
      {{"model", next->label}, {"folder", folder.string()}, {"seconds", std::chrono::steady_clock::now() - start}});
}

void ModelSlot::follow() {
  if (watch_) {
    const auto changed = watch_->poll();
    if (!changed) {
      log::warning("registry_unreadable", {{"reason", changed.error().message}});
    } else if (*changed) {
      const registry::VersionId id{name_, **changed};
      try {
        return serve(registry_.get(id).folder, id);
      } catch (const std::exception& e) {
        if (!now() && !dependencies_.model.empty()) throw;
        log::error("model_not_served", {{"model", registry::to_string(id)}, {"reason", e.what()}});
      }
    }
  }
  if (!now()) serve(registry::find_model(dependencies_.places, dependencies_.model), std::nullopt);
}

}  // namespace reeltag::serve
