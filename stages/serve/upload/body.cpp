#include "body.hpp"

#include <optional>

#include "metadata.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/http/header_value.hpp"
#include "reeltag/http/multipart.hpp"
#include "refusal.hpp"
#include "upload_job.hpp"

namespace reeltag::serve {

using http::server::problem;
using http::server::Request;
using http::server::Response;

namespace {

constexpr std::int64_t kFormBytes = 4 << 20;  // form overhead: 31 fields of 64 KiB and part headers

Response empty() { return problem(400, "bad_request", "the video is empty"); }

class Body final : public http::server::Upload {
 public:
  Body(UploadStore& store, const OnFinished& on_finished, std::shared_ptr<UploadFile> file, UploadFile::Writer writer,
       AnswerJob answer)
      : store_(store),
        on_finished_(on_finished),
        file_(std::move(file)),
        writer_(writer),
        answer_(std::move(answer)),
        has_key_(!file_->glance().record.request_key.empty()) {}
  ~Body() override {
    if (!passed_on_) store_.forget(file_);
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  Result<void> read_form(std::string_view content_type) {
    auto parser = http::MultipartParser::make(content_type, {.max_file_bytes = store_.options().max_bytes},
                                              [this](std::string_view part) { return append(part); });
    if (!parser) return fail(parser.error());
    form_.emplace(std::move(*parser));
    return {};
  }

  Result<void> write(std::string_view part) override { return form_ ? form_->feed(part) : append(part); }
  Response refusal(const Error& error) override { return refusal_of(error); }

  Response finish() override {
    if (form_) {
      if (const auto read = finish_form(); !read) return problem(read.error());
    }
    if (!file_->commit(writer_)) return problem(503, "unavailable", "the upload was interrupted; try again");
    const auto bytes = file_->facts().offset;
    if (bytes == 0) return empty();
    if (has_key_) file_->set_request_digest(digest());
    file_->set_length(bytes);  // after this a restart turns it into a job
    const auto job = job_of(*file_, on_finished_);
    if (!job && job.error().code == Code::invalid_argument) return key_of_another_request();
    if (!job) return problem(503, "unavailable", "the video could not be passed on; try again in a moment");
    passed_on_ = job->uses_upload;
    return answer_(job->id);
  }

 private:
  Result<void> append(std::string_view part) {
    if (has_key_) content_.update(part);
    return file_->append(writer_, part);
  }

  // Of the content, not of the form around it, whose boundary differs each time.
  std::string digest() {
    for (const auto& [name, value] : file_->glance().record.metadata)
      for (const auto& text : {name, value}) content_.update(std::to_string(text.size()) + ':' + text);
    return hex(content_.finish());
  }

  Result<void> finish_form() {
    const auto form = form_->finish();
    if (!form) return fail(form.error());
    if (!form->file) return fail(Code::invalid_argument, "the form has no field 'file'");
    auto type = accepted_type(form->file->content_type);
    if (!type) return fail(type.error());
    std::map<std::string, std::string> metadata = file_->glance().record.metadata;
    for (const auto& [name, value] : form->fields) metadata.emplace(name, value);
    if (const auto deadline = deadline_of(metadata); !deadline) return fail(deadline.error());
    file_->set_description(display_name(form->file->name), std::move(*type), std::move(metadata));
    return {};
  }

  UploadStore& store_;
  const OnFinished& on_finished_;
  std::shared_ptr<UploadFile> file_;
  UploadFile::Writer writer_;
  AnswerJob answer_;
  std::optional<http::MultipartParser> form_;
  const bool has_key_;
  Sha256 content_;  // used if there is a key
  bool passed_on_ = false;
};

std::string name_of(const Request& request) {
  const auto named = http::file_name_of(request.header("content-disposition"));
  return display_name(named.empty() ? std::string(request.query_value("name").value_or("")) : named);
}

}  // namespace

Begun begin_body(UploadStore& store, const OnFinished& on_finished, const Request& request, const std::string& owner,
                 AnswerJob answer) {
  const auto header = request.header("content-type");
  const auto parsed = http::parse_header_value(header);
  const bool is_form = parsed && parsed->value == "multipart/form-data";
  auto key = request_key_of(request);
  if (!key) return problem(key.error());
  UploadRecord record{.owner = owner, .client = request.client, .request_key = std::move(*key), .one_body = true};
  if (!is_form) {
    auto type = accepted_type(header);
    if (!type) return problem(type.error());
    record.content_type = std::move(*type);
    record.name = name_of(request);
  }
  if (const auto deadline = request.query_value("deadline")) record.metadata["deadline"] = *deadline;
  if (const auto deadline = deadline_of(record.metadata); !deadline) return problem(deadline.error());
  const auto max_bytes = store.options().max_bytes;
  const auto bytes = request.content_length.value_or(0);
  if (request.content_length && bytes == 0) return empty();
  if (bytes > max_bytes + (is_form ? kFormBytes : 0))
    return problem(413, "too_large", "a video may have at most " + std::to_string(max_bytes) + " bytes");
  const auto file = store.create(std::move(record), bytes);
  if (!file) return refusal_of(file.error());
  const auto claim = (*file)->claim(std::chrono::seconds(1), false);
  if (!claim) throw Exception(Code::internal, "a new upload has a writer");
  auto body = std::make_unique<Body>(store, on_finished, *file, claim->writer, std::move(answer));
  if (is_form) {
    if (const auto read = body->read_form(header); !read) return problem(read.error());
  }
  return body;
}

}  // namespace reeltag::serve
