#include "continuous.hpp"

#include <algorithm>
#include <cmath>

namespace reeltag::media {
namespace {

// Decoding times of one recording never go back, and a larger step forwards than this is a new recording rather than a
// pause. Source: process_input() in fftools/ffmpeg.c (FFmpeg 5.1): 0.1 s back, dts_delta_threshold of 10 s.
constexpr double kMaxBack = 0.1;
constexpr double kMaxPause = 10.0;

// Larger stamps come from no clock (34 years at 1 kHz) and could overflow the sums below.
constexpr std::int64_t kMaxStamp = 1LL << 40;

bool is_known(std::int64_t stamp) { return stamp != AV_NOPTS_VALUE; }
bool is_hostile(std::int64_t stamp) { return is_known(stamp) && (stamp > kMaxStamp || stamp < -kMaxStamp); }

class Joiner {
 public:
  Joiner(std::vector<PacketEntry>& packets, AVRational time_base, double fps, int wrap_bits)
      : packets_(packets), wrap_(wrap_bits > 0 && wrap_bits < 40 ? 1LL << wrap_bits : 0) {
    constexpr double kFallbackFps = 25.0;
    const double tick = av_q2d(time_base);
    max_back_ = kMaxBack / tick;
    max_pause_ = kMaxPause / tick;
    frame_ = std::max<std::int64_t>(1, std::llround(std::min(1.0 / (fps > 0 ? fps : kFallbackFps) / tick, 1e9)));
  }

  bool join() {
    const bool fine = std::none_of(packets_.begin(), packets_.end(),
                                   [](const PacketEntry& p) { return is_hostile(p.pts) || is_hostile(p.dts); });
    if (!fine) return false;
    const std::vector<std::size_t> starts = unwrap();
    // Presentation times bound a segment if every frame has one, else decoding times do, as in Timeline.
    by_pts_ =
        std::all_of(packets_.begin(), packets_.end(), [](const PacketEntry& p) { return !p.shown || is_known(p.pts); });
    for (std::size_t s = 1; s < starts.size(); ++s)
      append(starts[s - 1], starts[s], s + 1 < starts.size() ? starts[s + 1] : packets_.size());
    return changed_;
  }

 private:
  // The difference of two stamps, whichever of them has wrapped around.
  [[nodiscard]] std::int64_t apart(std::int64_t from, std::int64_t to) const {
    const std::int64_t d = to - from;
    if (wrap_ == 0) return d;
    const std::int64_t rest = ((d % wrap_) + wrap_) % wrap_;
    return rest < wrap_ / 2 ? rest : rest - wrap_;
  }

  void set(std::int64_t& stamp, std::int64_t value) {
    changed_ |= stamp != value;
    stamp = value;
  }

  // Removes wrap-arounds within each segment and returns where the segments begin.
  std::vector<std::size_t> unwrap() {
    std::vector<std::size_t> starts = {0};
    std::int64_t before = AV_NOPTS_VALUE;  // the last decoding time as read
    std::int64_t now = 0;                  // the same, unwrapped
    std::int64_t frames = 1;               // since then
    for (std::size_t i = 0; i < packets_.size(); ++i, ++frames) {
      PacketEntry& p = packets_[i];
      if (!is_known(p.dts)) continue;
      const std::int64_t read = p.dts;
      const std::int64_t step = is_known(before) ? apart(before, read) : 0;
      const bool first = !is_known(before);
      const double pause = static_cast<double>(step) - static_cast<double>(frames) * static_cast<double>(frame_);
      const bool restarts = !first && (static_cast<double>(step) < -max_back_ || pause > max_pause_);
      if (restarts) starts.push_back(i);
      now = first || restarts ? read : now + step;
      if (is_known(p.pts)) set(p.pts, now + apart(read, p.pts));
      set(p.dts, now);
      before = read;
      frames = 0;
    }
    return starts;
  }

  // Moves the packets [from, to) so that the first one shown follows the last one shown of [previous, from).
  void append(std::size_t previous, std::size_t from, std::size_t to) {
    const auto stamp = [&](const PacketEntry& p) { return by_pts_ ? p.pts : p.dts; };
    std::int64_t end = AV_NOPTS_VALUE, first = AV_NOPTS_VALUE;
    std::int64_t unknown = 0;  // frames without a time after the last one that has one
    for (std::size_t i = previous; i < from; ++i) {
      const PacketEntry& p = packets_[i];
      if (!p.shown) continue;
      ++unknown;
      if (!is_known(stamp(p))) continue;
      unknown = 0;
      end = is_known(end) ? std::max(end, stamp(p) + length(p)) : stamp(p) + length(p);
    }
    for (std::size_t i = from; i < to; ++i) {
      const PacketEntry& p = packets_[i];
      if (p.shown && is_known(stamp(p))) first = is_known(first) ? std::min(first, stamp(p)) : stamp(p);
    }
    if (!is_known(end) || !is_known(first)) return;
    const std::int64_t shift = end + unknown * frame_ - first;
    for (std::size_t i = from; i < to; ++i) {
      if (is_known(packets_[i].pts)) set(packets_[i].pts, packets_[i].pts + shift);
      if (is_known(packets_[i].dts)) set(packets_[i].dts, packets_[i].dts + shift);
    }
  }

  [[nodiscard]] std::int64_t length(const PacketEntry& p) const {
    return p.duration > 0 ? std::min(p.duration, kMaxStamp) : frame_;
  }

  std::vector<PacketEntry>& packets_;
  std::int64_t wrap_;  // 0: stamps do not wrap around
  std::int64_t frame_ = 1;
  double max_back_ = 0.0, max_pause_ = 0.0;
  bool by_pts_ = true, changed_ = false;
};

}  // namespace

bool make_continuous(std::vector<PacketEntry>& packets, AVRational time_base, double fps, int wrap_bits) {
  if (time_base.num <= 0 || time_base.den <= 0) return false;
  return Joiner(packets, time_base, fps, wrap_bits).join();
}

}  // namespace reeltag::media
