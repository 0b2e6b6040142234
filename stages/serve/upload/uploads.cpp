#include "body.hpp"
#include "reeltag/upload.hpp"
#include "shelf.hpp"
#include "tus.hpp"

namespace reeltag::serve {

struct Uploads::Impl {
  Shelf shelf;
};

Uploads::Uploads(const std::filesystem::path& folder, const UploadOptions& options, OnFinished on_finished)
    : impl_(new Impl{Shelf(folder, options, std::move(on_finished))}) {}
Uploads::~Uploads() = default;

void Uploads::add_routes(http::server::Router& router, const OwnerOf& owner_of) {
  std::make_shared<Tus>(impl_->shelf, owner_of)->add_routes(router);
}

Begun Uploads::begin(const http::server::Request& request, const std::string& owner,
                     std::function<http::server::Response(const std::string& job)> answer) {
  return begin_body(impl_->shelf, request, owner, std::move(answer));
}

void Uploads::recover() { impl_->shelf.recover(); }
std::optional<StoredUpload> Uploads::find(const std::string& id) const { return impl_->shelf.upload(id); }
void Uploads::remove(const std::string& id) { impl_->shelf.remove(id); }
std::int64_t Uploads::expire(const std::function<bool(const std::string&)>& has_ended) {
  return impl_->shelf.expire(has_ended);
}

}  // namespace reeltag::serve
