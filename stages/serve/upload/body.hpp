// A video that comes as the body of one request, or in a form. See Uploads::begin.
#pragma once

#include <functional>
#include <string>

#include "reeltag/upload.hpp"
#include "upload_store.hpp"

namespace reeltag::serve {

using AnswerJob = std::function<http::server::Response(const std::string& job)>;

Begun begin_body(UploadStore& store, const http::server::Request& request, const std::string& owner, AnswerJob answer);

}  // namespace reeltag::serve
