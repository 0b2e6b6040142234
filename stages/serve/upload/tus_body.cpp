#include "tus_body.hpp"

namespace reeltag::serve {

using http::server::problem;
using http::server::Request;
using http::server::Response;

Response with_tus(Response response, const Request& request) {
  response.with("Tus-Resumable", "1.0.0");
  // Exposes these headers to scripts of other sites, if a proxy permits cross-origin requests at all.
  if (!request.header("origin").empty()) {
    response.with("Access-Control-Expose-Headers",
                  "Location, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, "
                  "Upload-Offset, Upload-Length, Upload-Defer-Length, Upload-Metadata, Upload-Expires, Reeltag-Job, "
                  "Retry-After");
  }
  return response;
}

Response TusBody::dressed(Response response) const {
  Request request;
  if (!origin_.empty()) request.headers["origin"] = origin_;
  return with_tus(std::move(response), request);
}

Result<void> TusBody::write(std::string_view part) {
  auto written = file_->append(writer_, part);
  if (written && checksum_) checksum_->update(part);
  return written;
}

Response TusBody::refusal(const Error& error) {
  // Keeps nothing of a part that exceeds the length: client and server disagree about the video.
  if (error.code == Code::too_large) discard();
  return dressed(refusal_of(error));
}

Response TusBody::finish() {
  if (checksum_ && !checksum_->matches()) {
    discard();
    return dressed(problem(460, "checksum_mismatch", "the bytes are not those of the checksum; send them again"));
  }
  if (!file_->commit(writer_))
    return dressed(refusal_of({Code::already_exists, "another request has taken this upload over"}));
  return dressed(tus_->accepted(*file_, creates_));
}

void TusBody::discard() {
  if (creates_) return tus_->store().forget(file_);
  file_->discard(writer_);
}

}  // namespace reeltag::serve
