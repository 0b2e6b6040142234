// The bytes of one tus request on their way to the disk. Made for one request; see http::server::Upload.
#pragma once

#include <memory>
#include <optional>

#include "checksum.hpp"
#include "tus.hpp"

namespace reeltag::serve {

// The headers that every answer of tus has.
http::server::Response with_tus(http::server::Response response, const http::server::Request& request);

class TusBody final : public http::server::Upload {
 public:
  // Takes the writer's right over; creates: the request made the upload, and where it fails nothing stays.
  TusBody(std::shared_ptr<Tus> tus, std::shared_ptr<UploadFile> file, UploadFile::Writer writer,
          std::optional<Checksum> checksum, bool creates)
      : tus_(std::move(tus)),
        file_(std::move(file)),
        writer_(writer),
        checksum_(std::move(checksum)),
        creates_(creates) {}
  ~TusBody() override { file_->abandon(writer_); }
  TusBody(const TusBody&) = delete;
  TusBody& operator=(const TusBody&) = delete;

  // Answers are made when the request is gone: what they need of it is kept.
  void answers(const http::server::Request& request) { origin_ = std::string(request.header("origin")); }

  Result<void> write(std::string_view part) override;
  http::server::Response refusal(const Error& error) override;
  http::server::Response finish() override;

 private:
  void discard();
  [[nodiscard]] http::server::Response dressed(http::server::Response response) const;

  std::shared_ptr<Tus> tus_;
  std::shared_ptr<UploadFile> file_;
  UploadFile::Writer writer_;
  std::optional<Checksum> checksum_;
  bool creates_;
  std::string origin_;
};

}  // namespace reeltag::serve
