// Videos to pixels: probe a file, decode the frames that a sampler asks for, resize, thumbnails.
//
// Frames are uint8 RGB, [T,H,W,C] row-major, upright (rotation applied), with square pixels (sample aspect ratio
// applied), in BT.709/sRGB-like full range whatever the stream's matrix, range and transfer were.
// Decoder: one thread at a time, as many decoders as you like. Nothing here knows torch or hashtags.
// What one file does wrong comes back as Result (not_a_video, decode_failed, too_large, timeout); nothing is thrown
// for a bad video.
// A video from outside (a download, an upload, standard input) goes through open_untrusted(), which decodes it in a
// process of its own, `reeltag decode-worker`, behind rlimits and a seccomp filter (docs/adr/0013): what a hostile file
// breaks there costs one Error here. Such a decoder's process also ends with the thread that opened it.
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

// Bounds of the process that decodes one video from outside; the kernel holds them.
struct WorkerLimits {
  int cpu_seconds = 300;               // processor time, all calls together
  int memory_mb = 2048;                // address space
  int output_mb = 1024;                // frames of one call
  std::filesystem::path program = {};  // empty: the `reeltag` beside the running program
};
template <class V>
void visit(V& v, WorkerLimits& c) {
  v("cpu_seconds", c.cpu_seconds, "Most processor time in seconds that one isolated video may take",
    config::Range{1, 1'000'000});
  v("memory_mb", c.memory_mb, "Most memory of the process that decodes it, in MB", config::Range{64, 1'000'000});
  v("output_mb", c.output_mb, "Most decoded frames that it may give at once, in MB", config::Range{1, 1'000'000});
}

// Bounds on what one file may cost. Checked against the header before decoding and against reality while decoding.
struct Limits {
  std::int64_t max_bytes = 4LL << 30;       // file size
  std::int64_t max_pixels = 8192LL * 4320;  // width * height of one coded frame
  double max_duration = 3600.0;             // seconds
  double max_decode_seconds = 120.0;        // wall-clock seconds for one call
  std::string isolate = "auto";  // which videos get a process of their own: auto (from outside), always, never
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

// Facts of a file. Sizes are those of the upright, square-pixel picture.
struct Probe {
  std::string container;      // libav's short name of the container, e.g. "mov,mp4,m4a,3gp,3g2,mj2"
  std::string codec;          // "h264", "hevc", "vp9", "av1", "mpeg4", "gif", ...
  int width = 0, height = 0;  // pixels, after rotation and aspect correction
  int rotation = 0;           // degrees clockwise that were needed to stand upright: 0, 90, 180, 270
  double fps = 0.0;           // average frames per second, or what the header says; 0 when unknown
  double duration = 0.0;      // seconds; estimated from packets where the header has none
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

// How decoded pictures are scaled. At most one of short_side and width/height is given; none keeps the size.
struct Scale {
  int short_side = 0;         // shorter side in pixels, the other follows the aspect (rounded to nearest, at least 1)
  int width = 0, height = 0;  // exact size
};

class Decoder {
 public:
  // Opens and probes. Fails with not_found, permission_denied, not_a_video, decode_failed (a stream that no frame comes
  // out of), too_large, unsupported, timeout. The file's content decides what it is, not its name.
  static Result<std::unique_ptr<Decoder>> open(const std::filesystem::path& path, const Limits& limits);
  // The same for a video from outside: an open regular file, and the name that messages use for it. Fails also with
  // unavailable, where the system cannot isolate and media.isolate is not "never".
  static Result<std::unique_ptr<Decoder>> open_untrusted(Descriptor file, const std::string& name,
                                                         const Limits& limits);
  virtual ~Decoder() = default;

  [[nodiscard]] virtual const Probe& probe() const = 0;

  // For each asked time (seconds, any order, repeats allowed) the frame that is on screen then: the last one whose
  // presentation time is not after it (half a microsecond of tolerance); the first frame for earlier times and the
  // last one for later times. The result has one entry per asked time, in the asked order. One forward pass over the
  // file (or a few seeks where they are cheaper), however many views the times belong to. A frame that is damaged is
  // replaced by the one before it, as in a player; Frames::times then tells which.
  // Fails with decode_failed when the file breaks off, or a frame is undecodable, by more than 10 % of the duration
  // from what was asked; with too_large, unsupported, timeout; with invalid_argument for times or scales that make no
  // sense.
  virtual Result<Frames> frames_at(std::span<const double> times, const Scale& scale) = 0;

  // Presentation times of all frames in seconds, sorted, from a pass over the packets (no decoding).
  virtual Result<std::vector<double>> frame_times() = 0;
};

// The facts of a file. Reads its header and first frame; all packets where the header does not tell the duration.
Result<Probe> probe(const std::filesystem::path& path, const Limits& limits);

// Starts a worker and lets it enter its sandbox. Fails with what is missing for that.
Result<void> check_isolation(const Limits& limits);

// The worker itself, behind a socket that the parent gave it: applies the limits, enters the sandbox, decodes until the
// parent hangs up. For a process with one thread. The exit status.
int run_worker(int socket);

// The frames at another size, scaled as the decoder scales. Fails with invalid_argument for a scale that makes no
// sense.
Result<Frames> resize(const Frames& frames, const Scale& scale);

// A JPEG of the picture, quality 2 (best) to 31. For reports and pages. Fails with invalid_argument.
Result<std::string> encode_jpeg(std::span<const std::uint8_t> rgb, int width, int height, int quality = 5);

// Writes frames as an H.264 MP4 (yuv420p, even sizes required) of a constant rate; Frames::times is not read. For
// generated clips and tests: the same frames give the same bytes. The file appears whole or not at all.
Result<void> encode_mp4(const Frames& frames, double fps, const std::filesystem::path& path);

}  // namespace reeltag::media
