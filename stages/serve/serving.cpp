#include "serving.hpp"

#include "reeltag/base/file.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::serve {
namespace {

constexpr std::int64_t kMostBundleBytes = 64 << 20;

}  // namespace

Serving::Serving(const Parts& parts, metrics::Registry& metrics)
    : parts_(parts), metrics_(metrics), registry_(parts.home / "models") {
  const auto at = parts.model.find('@');
  if (parts.model.empty()) {
    name_ = registry::kDefaultName;
    watch_.emplace(registry_.folder(), name_, registry::kChampion);
  } else if (at != std::string::npos && parts.model.find('/') == std::string::npos) {
    name_ = parts.model.substr(0, at);
    watch_.emplace(registry_.folder(), name_, parts.model.substr(at + 1));
  }
}

std::shared_ptr<const Served> Serving::now() const {
  const std::lock_guard lock(mutex_);
  return served_;
}

void Serving::serve(const std::filesystem::path& folder, const std::optional<registry::VersionId>& version) {
  const auto start = std::chrono::steady_clock::now();
  auto next = std::make_shared<Served>();
  next->model = parts_.load(folder);
  next->version = version;
  next->label = version ? version->name + "@" + std::to_string(version->number) : next->model->name();
  next->key = content_id(value_or_throw(read_file(folder / "bundle.json", kMostBundleBytes)));
  {
    const std::lock_guard lock(mutex_);
    served_ = next;
  }
  if (info_ != nullptr) info_->set(0);
  info_ = &metrics_.gauge("reeltag_model_info", "The model that tags now",
                          {{"name", next->model->name()}, {"version", next->label}});
  info_->set(1);
  log::info(
      "model_served",
      {{"model", next->label}, {"folder", folder.string()}, {"seconds", std::chrono::steady_clock::now() - start}});
}

void Serving::follow() {
  if (watch_) {
    const auto changed = watch_->poll();
    if (!changed) {
      log::warning("registry_unreadable", {{"reason", changed.error().message}});
    } else if (*changed) {
      const registry::VersionId id{name_, **changed};
      try {
        return serve(registry_.get(id).folder, id);
      } catch (const std::exception& e) {
        if (!now() && !parts_.model.empty()) throw;
        log::error("model_not_served", {{"model", registry::to_string(id)}, {"reason", e.what()}});
      }
    }
  }
  if (!now()) serve(registry::find_model(parts_.places, parts_.model), std::nullopt);
}

}  // namespace reeltag::serve
