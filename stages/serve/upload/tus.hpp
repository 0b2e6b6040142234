// Adds the routes of tus 1.0.0 over an UploadStore: creation (with upload, with deferred length), expiration, checksum,
// termination. Source: tus.io/protocols/resumable-upload, 2016-03-25. Here are its headers, statuses, checksums and the
// lifetime of a request; the store and its files know none of them.
// The routes are thread-safe and refer to the store and on_finished. Failures are Responses.
//
//   add_tus_routes(router, store, on_finished, [](const auto& request) { return accounts.owner_of(request); });
#pragma once

#include "reeltag/upload.hpp"
#include "upload_store.hpp"

namespace reeltag::serve {

void add_tus_routes(http::server::Router& router, UploadStore& store, const OnFinished& on_finished, OwnerOf owner_of);

}  // namespace reeltag::serve
