#include <algorithm>
#include <cmath>

#include "wire.hpp"

namespace reeltag::media {
namespace {

// libav's short names: "mov,mp4,m4a,3gp,3g2,mj2", "mpeg4", "h264".
bool is_name(const std::string& text) {
  const auto fits = [](unsigned char c) { return c > ' ' && c < 127; };
  return text.size() <= 100 && std::all_of(text.begin(), text.end(), fits);
}

bool is_amount(double value) { return std::isfinite(value) && value >= 0; }

}  // namespace

void pack(Packer& out, const Limits& limits) {
  out.number(limits.max_pixels).number(limits.max_duration).number(limits.max_decode_seconds);
  out.number(limits.worker.cpu_seconds).number(limits.worker.memory_mb).number(limits.worker.output_mb);
}

Limits unpack_limits(Unpacker& in) {
  Limits limits;
  limits.max_pixels = in.number<std::int64_t>();
  limits.max_duration = in.number<double>();
  limits.max_decode_seconds = in.number<double>();
  limits.worker.cpu_seconds = in.number<int>();
  limits.worker.memory_mb = in.number<int>();
  limits.worker.output_mb = in.number<int>();
  return limits;
}

std::string pack(const Probe& p) {
  Packer out;
  out.text(p.container).text(p.codec).number(p.width).number(p.height).number(p.rotation).number(p.fps);
  out.number(p.duration).number(p.size_bytes).number<std::uint8_t>(p.has_audio ? 1 : 0);
  return out.bytes();
}

Result<Probe> unpack_probe(std::string_view body) {
  Unpacker in(body);
  Probe p;
  p.container = in.text();
  p.codec = in.text();
  p.width = in.number<int>();
  p.height = in.number<int>();
  p.rotation = in.number<int>();
  p.fps = in.number<double>();
  p.duration = in.number<double>();
  p.size_bytes = in.number<std::int64_t>();
  p.has_audio = in.number<std::uint8_t>() != 0;
  const bool turned = p.rotation == 0 || p.rotation == 90 || p.rotation == 180 || p.rotation == 270;
  if (in.done() && is_name(p.container) && is_name(p.codec) && p.width > 0 && p.height > 0 && turned &&
      is_amount(p.fps) && is_amount(p.duration))
    return p;
  return fail(Code::corrupt, "facts that no video has");
}

std::string output_problem(const WorkerLimits& limits) {
  return ": its frames take more than " + std::to_string(limits.output_mb) +
         " MB; ask for fewer or smaller ones, or raise media.worker.output_mb";
}

}  // namespace reeltag::media
