#include "body.hpp"
#include "reeltag/upload.hpp"
#include "tus.hpp"
#include "upload_job.hpp"
#include "upload_store.hpp"

namespace reeltag::serve {

struct Uploads::Impl {
  UploadStore store;
  OnFinished on_finished;
};

Uploads::Uploads(const std::filesystem::path& folder, const UploadOptions& options, OnFinished on_finished)
    : impl_(new Impl{UploadStore(folder, options), std::move(on_finished)}) {}
Uploads::~Uploads() = default;

void Uploads::add_routes(http::server::Router& router, const OwnerOf& owner_of) {
  add_tus_routes(router, impl_->store, impl_->on_finished, owner_of);
}

Begun Uploads::begin(const http::server::Request& request, const std::string& owner,
                     std::function<http::server::Response(const std::string& job)> answer) {
  return begin_body(impl_->store, impl_->on_finished, request, owner, std::move(answer));
}

void Uploads::recover() {
  for (const auto& file : impl_->store.all()) {
    const auto facts = file->facts();
    if (facts.is_whole && facts.record.job.empty() && !facts.record.released)
      static_cast<void>(job_of(*file, impl_->on_finished));
  }
}

std::optional<CompletedUpload> Uploads::find(const std::string& id) const {
  const auto file = impl_->store.find(id);
  if (!file) return std::nullopt;
  const auto facts = file->glance();
  if (!facts.is_whole || facts.record.released) return std::nullopt;
  return completed_upload(*file, facts);
}

void Uploads::remove(const std::string& id) { impl_->store.remove(id); }

std::int64_t Uploads::expire(const std::function<bool(const std::string&)>& has_ended) {
  const auto expired = impl_->store.expire();
  for (const auto& file : expired.with_job)
    if (has_ended(file->glance().record.job)) impl_->store.forget(file);
  return expired.unfinished;
}

}  // namespace reeltag::serve
