// Chooses a decoder for a video.
#include "decoders.hpp"

namespace reeltag::media {
namespace {

Result<std::unique_ptr<Decoder>> open_file(const Result<std::shared_ptr<const File>>& file, bool isolated,
                                           const Limits& limits) {
  if (!file) return fail(file.error());
  return isolated ? open_isolated(*file, limits) : open_libav(*file, limits);
}

}  // namespace

Result<std::unique_ptr<Decoder>> Decoder::open(const std::filesystem::path& path, const Limits& limits) {
  return open_file(File::open(path, limits), limits.isolate == "always", limits);
}

Result<std::unique_ptr<Decoder>> Decoder::open_untrusted(Descriptor file, const std::string& name,
                                                         const Limits& limits) {
  return open_file(File::adopt(std::move(file), name, limits), limits.isolate != "never", limits);
}

Result<Probe> probe(const std::filesystem::path& path, const Limits& limits) {
  const auto decoder = Decoder::open(path, limits);
  if (!decoder) return fail(decoder.error());
  return (*decoder)->probe();
}

}  // namespace reeltag::media
