// Test clips made with the ffmpeg program, and reference frames decoded by it. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "reeltag/media.hpp"

namespace reeltag::media::test {

// A temporary folder, removed with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  // Runs `ffmpeg ARGUMENTS name` in the folder; an error fails the test. The arguments are shell words.
  std::filesystem::path clip(const std::string& name, const std::string& arguments) const;
  std::filesystem::path file(const std::string& name, const std::string& content) const;
  // Runs a shell command in the folder and returns its output.
  std::string run(const std::string& command) const;

 private:
  std::filesystem::path path_;
};

std::string content_of(const std::filesystem::path& path);

// All frames of a clip as the ffmpeg program decodes them, upright, square pixels, RGB; times from the first frame.
Frames ffmpeg_frames(const Folder& folder, const std::filesystem::path& clip);

// Mean absolute difference of two pictures of equal size.
double difference(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

// The index of the reference frame most similar to the picture.
int most_alike(const Frames& reference, std::span<const std::uint8_t> picture);

// A clip of two and a half seconds, 25 frames a second or fewer, of one container and codec.
struct ClipKind {
  std::string name;       // of the file
  std::string arguments;  // for ffmpeg
  std::string codec;
};
std::vector<ClipKind> clip_kinds();
inline void PrintTo(const ClipKind& k, std::ostream* out) { *out << k.name; }

// The conformance suites run on each. Add a new Decoder in implementations().
struct Implementation {
  std::string name;
  std::function<Result<std::unique_ptr<Decoder>>(const std::filesystem::path&, const Limits&)> open;
};
std::vector<Implementation> implementations();
inline void PrintTo(const Implementation& i, std::ostream* out) { *out << i.name; }

}  // namespace reeltag::media::test
