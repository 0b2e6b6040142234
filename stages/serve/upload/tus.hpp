// Implements the tus 1.0.0 protocol over an UploadStore: creation (with upload, with deferred length), expiration,
// checksum, termination. Source: tus.io/protocols/resumable-upload, 2016-03-25. Thread-safe; shared by the routes.
// Refers to the store. Failures are Responses.
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

  // The response to a part that is durable.
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
  // Time that this request may wait for another to end; only a few may wait at once, so that threads stay available.
  class Patience;

  UploadStore& store_;
  const OwnerOf owner_of_;
  std::atomic<int> waiting_ = 0;
};

}  // namespace reeltag::serve
