#include "thumbnails.hpp"

#include <fcntl.h>

#include "reeltag/base/file.hpp"

namespace reeltag::serve {
namespace {

namespace fs = std::filesystem;

constexpr int kShortSide = 320;

std::string file_name(const std::string& video, int part) {
  return video + (part == 0 ? std::string() : "-" + std::to_string(part)) + ".jpg";
}

}  // namespace

Thumbnails::Thumbnails(fs::path folder, store::Store& store, media::Limits limits)
    : folder_(std::move(folder)), store_(store), limits_(std::move(limits)) {
  fs::create_directories(folder_);
}

Result<fs::path> Thumbnails::get(const catalog::Video& video, int part) {
  auto path = folder_ / file_name(video.id, part);
  std::error_code error;
  if (fs::exists(path, error)) return path;
  turns_.acquire();
  auto made = fs::exists(path, error) ? Result<void>{} : make(video, part, path);
  turns_.release();
  if (!made) return fail(made.error());
  return path;
}

void Thumbnails::remove(const std::string& video) {
  std::error_code error;
  for (int part = 0; part <= kParts; ++part) fs::remove(folder_ / file_name(video, part), error);
}

// Decodes in the sandbox: all videos in the store are untrusted.
Result<void> Thumbnails::make(const catalog::Video& video, int part, const fs::path& to) try {
  Descriptor file(::open(store_.local_path(video.key).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return fail(Code::not_found, "the bytes of video " + video.id + " cannot be read");
  const auto decoder = media::Decoder::open_untrusted(std::move(file), video.id, limits_);
  if (!decoder) return fail(decoder.error());
  const double share = part == 0 ? 0.5 : (part - 0.5) / kParts;
  const double at = share * (*decoder)->probe().duration;
  const int side = std::min({kShortSide, (*decoder)->probe().width, (*decoder)->probe().height});
  const auto frame = (*decoder)->frames_at({&at, 1}, {.short_side = side});
  if (!frame) return fail(frame.error());
  const auto jpeg = media::encode_jpeg(frame->frame(0), frame->width, frame->height);
  if (!jpeg) return fail(jpeg.error());
  write_file(to, *jpeg);
  return {};
} catch (const Exception& e) {
  return fail(e.error());
}

}  // namespace reeltag::serve
