// Receives a video as the body of one request, raw or as a form. See Uploads::begin. Thread-safe; refers to the store
// and on_finished. Failures are Responses.
//
//   return begin_body(store, on_finished, request, owner, [](const auto& job) { return accepted(job); });
#pragma once

#include <functional>
#include <string>

#include "reeltag/upload.hpp"
#include "upload_store.hpp"

namespace reeltag::serve {

using AnswerJob = std::function<http::server::Response(const std::string& job)>;

Begun begin_body(UploadStore& store, const OnFinished& on_finished, const http::server::Request& request,
                 const std::string& owner, AnswerJob answer);

}  // namespace reeltag::serve
