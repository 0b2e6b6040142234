// One open video file: container, selected video stream, properties, and the deadline and limits of every read. One
// thread; owns its libav state. Values from the header are checked against the limits before they size anything.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "file.hpp"
#include "flv_parts.hpp"
#include "libav.hpp"
#include "picture.hpp"
#include "reeltag/media.hpp"

namespace reeltag::media {

class Input {
 public:
  static Result<std::unique_ptr<Input>> open(std::shared_ptr<const File> file, const Limits& limits);

  [[nodiscard]] const Probe& probe() const { return probe_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] const Geometry& geometry() const { return geometry_; }
  [[nodiscard]] AVFormatContext& format() const { return *format_; }
  [[nodiscard]] AVStream& stream() const { return *stream_; }

  // The video stream's declared duration in seconds, 0 if unknown. If only the whole file has a duration, that one,
  // with whole_file set: the sound may then be longer than the picture.
  struct Claim {
    double seconds = 0.0;
    bool whole_file = false;
  };
  [[nodiscard]] Claim claim() const { return claim_; }
  // Whether the container allows times to restart or jump, as in recordings joined byte by byte. libav measures the
  // claim by the last time stamp, so there it may be wrong by any factor.
  [[nodiscard]] bool times_may_restart() const;
  // The first frame's time on the container's clock.
  [[nodiscard]] double start_seconds() const;

  // Starts a new call: max_decode_seconds count from now.
  void start_clock();
  // Continues a call that began with another input of the same file.
  void take_over(const Input& other) {
    deadline_ = other.deadline_;
    set_parts(other.parts_);
  }
  [[nodiscard]] bool late() const { return std::chrono::steady_clock::now() > deadline_; }

  // Which packets read() returns: those of the video stream and its parts; also those of video streams with the same
  // codec, which may turn out to be parts; all.
  enum class Streams { video, similar, all };
  void select(Streams streams);
  // Streams that continue the video stream in a joined file, where a part may have other stream ids.
  void set_parts(std::vector<int> streams);
  [[nodiscard]] bool is_similar(int stream) const;

  // Reads the next packet of the selected streams. False at the end, and if
  // the file is truncated or broken: read_problem() then says how.
  Result<bool> read(AVPacket& packet);
  [[nodiscard]] const std::string& read_problem() const { return problem_; }

  // Seeks to a packet at or before the timestamp (stream time base), using the container's index.
  bool seek(std::int64_t timestamp);
  // Goes back to the first packet, whatever the time stamps are.
  bool rewind();

  // An error that names the file.
  [[nodiscard]] Error error(Code code, const std::string& text) const { return file_->error(code, text); }
  [[nodiscard]] Error timeout() const;

 private:
  Input(std::shared_ptr<const File> file, const Limits& limits)
      : file_(std::move(file)), content_(file_), limits_(limits) {}

  [[nodiscard]] Result<void> check_container(const AVInputFormat& container) const;
  Result<void> open_container();
  void pick_stream();
  Result<void> find_streams();
  Result<void> choose_stream();
  Result<void> read_headers();
  Result<void> check_size() const;
  void read_facts();
  [[nodiscard]] bool is_selected(int stream) const;
  static int interrupted(void* self) { return static_cast<Input*>(self)->late() ? 1 : 0; }
  static int read_bytes(void* self, std::uint8_t* to, int size);
  static std::int64_t seek_to(void* self, std::int64_t offset, int whence);

  std::shared_ptr<const File> file_;
  FlvParts content_;           // what libav reads of it
  std::int64_t position_ = 0;  // file offset of the next byte for libav
  Limits limits_;
  Probe probe_;
  Geometry geometry_;
  Claim claim_;
  std::chrono::steady_clock::time_point deadline_;
  std::string problem_;
  libav::ReaderPtr io_;  // freed after format_, which reads from it
  libav::InputPtr format_;
  AVStream* stream_ = nullptr;
  std::vector<int> parts_;  // streams
  Streams selected_ = Streams::video;
  bool streams_found_ = false;
};

}  // namespace reeltag::media
