// Video decoding: probes a file, decodes the frames that a sampler asks for, resizes, makes thumbnails.
//
// Frames are uint8 RGB, [T,H,W,C] row-major, upright (rotation applied), with square pixels (sample aspect ratio
// applied), in BT.709/sRGB-like full range, whatever the stream's matrix, range and transfer.
// Decoder: one thread at a time, any number of decoders. The module does not depend on torch or hashtags.
// Failures of one file are returned as Result (not_a_video, decode_failed, too_large, timeout); a bad video never
// throws.
// Open untrusted videos (downloads, uploads, standard input) with open_untrusted(), which decodes in a separate
// process, `reeltag decode-worker`, under rlimits and a seccomp filter (docs/adr/0013): a hostile file costs one Error
// here. The process also ends with the thread that opened it.
//
//   auto video = media::Decoder::open("clip.mp4", {});
//   auto frames = (*video)->frames_at({0.0, 0.5, 1.0}, {.short_side = 64});   // one forward pass over the file
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reeltag/base/config.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"

namespace reeltag::media {

// Limits of the process that decodes one untrusted video, enforced by the kernel.
struct WorkerLimits {
  int cpu_seconds = 300;               // processor time of all calls together
  int memory_mb = 2048;                // address space
  int output_mb = 1024;                // frames of one call
  std::filesystem::path program = {};  // empty: the `reeltag` next to the running program
};
template <class V>
void visit(V& v, WorkerLimits& c) {
  v("cpu_seconds", c.cpu_seconds, "Most processor time in seconds that one isolated video may take",
    config::Range{1, 1'000'000});
  v("memory_mb", c.memory_mb, "Most memory of the process that decodes it, in MB", config::Range{64, 1'000'000});
  v("output_mb", c.output_mb, "Most decoded frames that it may give at once, in MB", config::Range{1, 1'000'000});
}

// Limits per file. Checked against the header before decoding, and against the actual data while decoding.
struct Limits {
  std::int64_t max_bytes = 4LL << 30;       // file size
  std::int64_t max_pixels = 8192LL * 4320;  // width * height of one coded frame
  double max_duration = 3600.0;             // seconds
  double max_decode_seconds = 120.0;        // wall-clock seconds for one call
  std::string isolate = "auto";             // which videos get a separate process: auto (untrusted ones), always, never
  WorkerLimits worker = {};
};
template <class V>
void visit(V& v, Limits& c) {
  v("max_bytes", c.max_bytes, "Largest video file in bytes");
  v("max_pixels", c.max_pixels, "Largest coded frame, width times height");
  v("max_duration", c.max_duration, "Longest video in seconds");
  v("max_decode_seconds", c.max_decode_seconds, "Longest time in seconds that decoding one video may take");
  v("isolate", c.isolate, "Videos decoded in a process of their own; auto: those from outside, not local files",
    config::OneOf{{"auto", "always", "never"}});
  v.section("worker", c.worker);
}

// Properties of a file. Sizes are those of the upright, square-pixel picture.
struct Probe {
  std::string container;      // libav's short name of the container, e.g. "mov,mp4,m4a,3gp,3g2,mj2"
  std::string codec;          // "h264", "hevc", "vp9", "av1", "mpeg4", "gif", ...
  int width = 0, height = 0;  // pixels, after rotation and aspect correction
  int rotation = 0;           // degrees clockwise applied to make it upright: 0, 90, 180, 270
  double fps = 0.0;           // average frames per second, else the header's value; 0 if unknown
  double duration = 0.0;      // seconds, of all parts of a joined file; from packets if the header has none
  std::int64_t size_bytes = 0;
  bool has_audio = false;
};

// uint8 RGB [T,H,W,3]. data.size() == count*height*width*3.
struct Frames {
  int count = 0, height = 0, width = 0;
  std::vector<std::uint8_t> data;
  std::vector<double> times;  // presentation time of each frame in seconds from the start of the video

  [[nodiscard]] std::size_t frame_bytes() const { return static_cast<std::size_t>(height) * width * 3; }
  [[nodiscard]] std::span<const std::uint8_t> frame(int t) const {
    return {data.data() + frame_bytes() * static_cast<std::size_t>(t), frame_bytes()};
  }
};

// The output size of decoded pictures. Set at most one of short_side and width/height; none keeps the size.
struct Scale {
  int short_side = 0;         // shorter side in pixels, the other follows the aspect (rounded to nearest, at least 1)
  int width = 0, height = 0;  // exact size
};

class Decoder {
 public:
  // Opens and probes. Fails with not_found, permission_denied, not_a_video, decode_failed (the stream yields no frame),
  // too_large, unsupported, timeout. The content determines the format, not the name.
  static Result<std::unique_ptr<Decoder>> open(const std::filesystem::path& path, const Limits& limits);
  // Opens an untrusted video: an open regular file, and its name for messages. Also fails with unavailable, if the
  // system cannot isolate and media.isolate is not "never".
  static Result<std::unique_ptr<Decoder>> open_untrusted(Descriptor file, const std::string& name,
                                                         const Limits& limits);
  virtual ~Decoder() = default;

  [[nodiscard]] virtual const Probe& probe() const = 0;

  // Returns, for each requested time (seconds, any order, repeats allowed), the frame on screen then: the last one
  // whose presentation time is not later (half a microsecond of tolerance); the first frame for earlier times and the
  // last one for later times. One entry per requested time, in that order. Makes one forward pass over the file (or a
  // few seeks where cheaper), however many views the times belong to. A damaged frame is replaced by the one before it,
  // as in a player; Frames::times then shows which. Fails with decode_failed if the file ends early, or a frame is
  // undecodable, by more than 10 % of the duration from the requested time; with too_large, unsupported, timeout; with
  // invalid_argument for invalid times or scales.
  virtual Result<Frames> frames_at(std::span<const double> times, const Scale& scale) = 0;

  // Presentation times of all frames in seconds, sorted; reads all packets without decoding.
  virtual Result<std::vector<double>> frame_times() = 0;
};

// Reads a file's header and first frame; all packets if the header lacks the duration, or if it may be that of one part
// of a joined file (MPEG-TS, MPEG-PS).
Result<Probe> probe(const std::filesystem::path& path, const Limits& limits);

// Starts a worker and lets it enter its sandbox. Fails with the missing requirement.
Result<void> check_isolation(const Limits& limits);

// Runs the worker on a socket from the parent: applies the limits, enters the sandbox, decodes until the parent closes
// the socket. For a single-threaded process. Returns the exit status.
int run_worker(int socket);

// Resizes frames as the decoder does. Fails with invalid_argument for an invalid scale.
Result<Frames> resize(const Frames& frames, const Scale& scale);

// Encodes the picture as JPEG, quality 2 (best) to 31. For reports and pages. Fails with invalid_argument.
Result<std::string> encode_jpeg(std::span<const std::uint8_t> rgb, int width, int height, int quality = 5);

// Writes frames as an H.264 MP4 (yuv420p, even sizes required) with a constant rate; ignores Frames::times. For
// synthetic clips and tests: the same frames give the same bytes. The file appears complete or not at all.
Result<void> encode_mp4(const Frames& frames, double fps, const std::filesystem::path& path);

}  // namespace reeltag::media
