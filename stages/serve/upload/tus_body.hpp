// Writes the body of one tus request to the disk. One thread; one object per request; see http::server::Upload. Shares
// ownership of the upload file. Failures are Responses (refusal_of).
#pragma once

#include <memory>
#include <optional>

#include "checksum.hpp"
#include "tus.hpp"

namespace reeltag::serve {

// Adds the headers that every tus response has.
http::server::Response with_tus(http::server::Response response, const http::server::Request& request);

class TusBody final : public http::server::Upload {
 public:
  // Takes over the writer's claim. creates: the request created the upload, and a failure removes it.
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

  // Keeps what the response needs from the request, which is gone by then.
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
