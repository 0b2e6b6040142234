// Clips for tests, made by the ffmpeg program, and what that program itself sees in them.
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

// A temporary folder that goes when the object goes.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  // Runs `ffmpeg ARGUMENTS name` in the folder; a failure is a test failure. The arguments are shell words.
  std::filesystem::path clip(const std::string& name, const std::string& arguments) const;
  std::filesystem::path file(const std::string& name, const std::string& content) const;
  // Runs a shell command in the folder and gives what it printed.
  std::string run(const std::string& command) const;

 private:
  std::filesystem::path path_;
};

std::string content_of(const std::filesystem::path& path);

// All frames of a clip as the ffmpeg program decodes them, upright, square pixels, RGB; times from the first frame.
Frames ffmpeg_frames(const Folder& folder, const std::filesystem::path& clip);

// Mean absolute difference of two pictures of one size.
double difference(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

// The frame of the reference that looks most like the picture.
int most_alike(const Frames& reference, std::span<const std::uint8_t> picture);

// A clip of two and a half seconds, 25 frames a second or fewer, of one container and codec.
struct ClipKind {
  std::string name;       // of the file
  std::string arguments;  // for ffmpeg
  std::string codec;
};
std::vector<ClipKind> clip_kinds();
inline void PrintTo(const ClipKind& k, std::ostream* out) { *out << k.name; }

// What the conformance suites run on. A new Decoder joins by a line in implementations().
struct Implementation {
  std::string name;
  std::function<Result<std::unique_ptr<Decoder>>(const std::filesystem::path&, const Limits&)> open;
};
std::vector<Implementation> implementations();
inline void PrintTo(const Implementation& i, std::ostream* out) { *out << i.name; }

}  // namespace reeltag::media::test
