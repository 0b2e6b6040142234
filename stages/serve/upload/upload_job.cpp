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
          .deadline = deadline_of(record.metadata).value_or(0.0)};
}

Result<std::string> job_of(UploadFile& file, const OnFinished& on_finished) {
  try {
    const auto lock = file.lock_job();
    const auto facts = file.glance();
    if (!facts.record.job.empty()) return facts.record.job;
    const std::string job = on_finished(completed_upload(file, facts));
    file.set_job(job);
    return job;
  } catch (const std::exception& e) {
    log::error("upload_not_passed_on", {{"upload", file.id()}, {"message", e.what()}});
    return fail(Code::unavailable, "the upload is whole, but could not be passed on; ask again in a moment");
  }
}

}  // namespace reeltag::serve
