// Passes complete uploads on to the caller of this module: describes them, and creates their jobs. Any thread; refers
// to its arguments. Failure: Result worded for the client; the upload stays, and the next request tries again.
//
//   if (file->glance().is_whole) job = job_of(*file, on_finished);
#pragma once

#include <string>

#include "reeltag/upload.hpp"
#include "upload_file.hpp"

namespace reeltag::serve {

CompletedUpload completed_upload(const UploadFile& file, const UploadFile::Facts& facts);

// The job of a complete upload, created by on_finished if there is none. Fails with unavailable, or with
// invalid_argument if the request's key belongs to another request.
Result<UploadJob> job_of(UploadFile& file, const OnFinished& on_finished);

}  // namespace reeltag::serve
