// The tus 1.0.0 protocol over an UploadStore: creation (with upload, with deferred length), expiration, checksum,
// termination. Source: tus.io/protocols/resumable-upload, 2016-03-25. Thread-safe; shared by the routes.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "reeltag/upload.hpp"
#include "upload_store.hpp"

namespace reeltag::serve {

class Tus : public std::enable_shared_from_this<Tus> {
 public:
  Tus(UploadStore& store, OwnerOf owner_of) : store_(store), owner_of_(std::move(owner_of)) {}

  void add_routes(http::server::Router& router);

  // The answer to a part that is on the disk for good.
  http::server::Response accepted(UploadFile& file, bool creates);
  UploadStore& store() { return store_; }

 private:
  using Request = http::server::Request;
  using Response = http::server::Response;

  Begun answer(const Request& request);
  Begun dispatch(const Request& request);
  Response options(const Request& request) const;
  Begun create(const Request& request, const std::string& owner);
  Response head(const std::shared_ptr<UploadFile>& file);
  Begun patch(const Request& request, const std::shared_ptr<UploadFile>& file);
  Response end(const std::shared_ptr<UploadFile>& file);

  [[nodiscard]] std::shared_ptr<UploadFile> find(const Request& request, const std::string& owner) const;
  // How long this request may wait for another one to end; few may at once, so that they do not use the threads up.
  class Patience;

  UploadStore& store_;
  const OwnerOf owner_of_;
  std::atomic<int> waiting_ = 0;
};

}  // namespace reeltag::serve
