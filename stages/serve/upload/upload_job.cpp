#include "upload_job.hpp"

#include "metadata.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::serve {

CompletedUpload completed_upload(const UploadFile& file, const UploadFile::Facts& facts) {
  const UploadRecord& record = facts.record;
  return {.id = file.id(),
          .owner = record.owner,
          .name = record.name,
          .content_type = record.content_type,
          .file = file.data(),
          .bytes = facts.offset,
          .metadata = record.metadata,
          .deadline = deadline_of(record.metadata).value_or(0.0),
          .client = record.client,
          .request_key = record.one_body ? record.request_key : std::string(),
          .request_digest = record.one_body ? record.request_digest : std::string()};
}

Result<UploadJob> job_of(UploadFile& file, const OnFinished& on_finished) {
  try {
    const auto lock = file.lock_job();
    const auto facts = file.glance();
    if (!facts.record.job.empty()) return UploadJob{facts.record.job};
    auto job = on_finished(completed_upload(file, facts));
    if (job && job->uses_upload) file.set_job(job->id);
    return job;
  } catch (const std::exception& e) {
    log::error("upload_not_passed_on", {{"upload", file.id()}, {"message", e.what()}});
    return fail(Code::unavailable, "the upload is whole, but could not be passed on; ask again in a moment");
  }
}

}  // namespace reeltag::serve
