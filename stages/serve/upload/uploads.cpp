#include "body.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/upload.hpp"
#include "tus.hpp"
#include "upload_job.hpp"
#include "upload_store.hpp"

namespace reeltag::serve {

Result<std::string> request_key_of(const http::server::Request& request) {
  constexpr std::size_t kMaxKey = 200;
  if (!request.headers.contains("idempotency-key")) return std::string();
  const auto key = request.header("idempotency-key");
  if (key.empty() || key.size() > kMaxKey)
    return fail(Code::invalid_argument, "Idempotency-Key must have 1 to 200 bytes");
  return hex(sha256(key));
}

http::server::Response key_of_another_request() {
  return http::server::problem(422, "invalid_argument",
                               "this Idempotency-Key was used for another request; a new request needs a new key");
}

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
    if (!facts.is_whole || !facts.record.job.empty() || facts.record.released) continue;
    const auto job = job_of(*file, impl_->on_finished);
    const bool is_of_another = !job && job.error().code == Code::invalid_argument;
    if (is_of_another || (job && !job->uses_upload)) impl_->store.forget(file);
  }
}

Result<void> Uploads::check_room() const { return impl_->store.check_room(0); }

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
