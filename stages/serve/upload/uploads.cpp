#include "body.hpp"
#include "reeltag/upload.hpp"
#include "tus.hpp"
#include "upload_store.hpp"

namespace reeltag::serve {

struct Uploads::Impl {
  UploadStore store;
};

Uploads::Uploads(const std::filesystem::path& folder, const UploadOptions& options, OnFinished on_finished)
    : impl_(new Impl{UploadStore(folder, options, std::move(on_finished))}) {}
Uploads::~Uploads() = default;

void Uploads::add_routes(http::server::Router& router, const OwnerOf& owner_of) {
  std::make_shared<Tus>(impl_->store, owner_of)->add_routes(router);
}

Begun Uploads::begin(const http::server::Request& request, const std::string& owner,
                     std::function<http::server::Response(const std::string& job)> answer) {
  return begin_body(impl_->store, request, owner, std::move(answer));
}

void Uploads::recover() { impl_->store.recover(); }
std::optional<CompletedUpload> Uploads::find(const std::string& id) const { return impl_->store.upload(id); }
void Uploads::remove(const std::string& id) { impl_->store.remove(id); }
std::int64_t Uploads::expire(const std::function<bool(const std::string&)>& has_ended) {
  return impl_->store.expire(has_ended);
}

}  // namespace reeltag::serve
