// The bytes of one tus request on their way to the disk. Made for one request; see http::server::Upload.
#pragma once

#include <memory>
#include <optional>

#include "checksum.hpp"
#include "tus.hpp"

namespace reeltag::serve {

// The headers that every answer of tus has.
http::server::Response with_tus(http::server::Response response, const http::server::Request& request);

class Part final : public http::server::Upload {
 public:
  // Takes the writer's right over; creates: the request made the upload, and where it fails nothing stays.
  Part(std::shared_ptr<Tus> tus, std::shared_ptr<Stored> stored, Stored::Writer writer,
       std::optional<Checksum> checksum, bool creates)
      : tus_(std::move(tus)),
        stored_(std::move(stored)),
        writer_(writer),
        checksum_(std::move(checksum)),
        creates_(creates) {}
  ~Part() override { stored_->abandon(writer_); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  // Answers are made when the request is gone: what they need of it is kept.
  void answers(const http::server::Request& request) { origin_ = std::string(request.header("origin")); }

  Result<void> write(std::string_view part) override;
  http::server::Response refusal(const Error& error) override;
  http::server::Response finish() override;

 private:
  void discard();
  [[nodiscard]] http::server::Response dressed(http::server::Response response) const;

  std::shared_ptr<Tus> tus_;
  std::shared_ptr<Stored> stored_;
  Stored::Writer writer_;
  std::optional<Checksum> checksum_;
  bool creates_;
  std::string origin_;
};

}  // namespace reeltag::serve
