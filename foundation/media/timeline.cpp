#include "timeline.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "continuous.hpp"

namespace reeltag::media {
namespace {

// No camera or screen exceeds this rate; more packets than it allows in the longest duration are an attack on memory.
constexpr double kMaxFps = 1000.0;
constexpr double kFallbackFps = 25.0;
// Requested times are often computed from a frame's own time and must not fall just before it.
constexpr double kTolerance = 0.5e-6;

// Skips decoding between runs only if it saves at least this many packets: a jump costs a flush and a seek.
constexpr int kMinJump = 3;

PacketEntry entry_of(const AVPacket& p) {
  PacketEntry e;
  e.pts = p.pts;
  e.dts = p.dts;
  e.position = p.pos;
  e.duration = std::max<std::int64_t>(p.duration, 0);
  e.bytes = p.size;
  e.key = (p.flags & AV_PKT_FLAG_KEY) != 0;
  e.shown = (p.flags & AV_PKT_FLAG_DISCARD) == 0;
  return e;
}

// True if the packets of two streams alternate, as those of programs sent together do: fewer than four in a row on
// average.
bool run_together(const std::vector<int>& streams, int a, int b) {
  std::size_t rows = 0, of_a = 0, of_b = 0;
  int before = -1;
  for (const int s : streams) {
    if (s != a && s != b) continue;
    ++(s == a ? of_a : of_b);
    if (std::exchange(before, s) != s) ++rows;
  }
  return rows * 4 > 2 * std::min(of_a, of_b);
}

// Keeps the packets of the video stream and of those that take turns with it, and returns the latter: in a joined file,
// parts may have other stream ids. Drops other programs, which run together with it. `streams` has each packet's one.
std::vector<int> keep_parts(std::vector<PacketEntry>& packets, const std::vector<int>& streams, int video) {
  constexpr std::size_t kMaxStreams = 8;  // bounds the comparisons, whatever a hostile file declares
  const std::set<int> all(streams.begin(), streams.end());
  std::vector<int> kept = {video};
  for (const int stream : all) {
    const auto together = [&](int other) { return run_together(streams, stream, other); };
    if (stream != video && all.size() <= kMaxStreams && std::none_of(kept.begin(), kept.end(), together))
      kept.push_back(stream);
  }
  std::size_t to = 0;
  for (std::size_t i = 0; i < streams.size(); ++i)
    if (std::find(kept.begin(), kept.end(), streams[i]) != kept.end()) packets[to++] = packets[i];
  if (!streams.empty()) packets.resize(to);
  kept.erase(kept.begin());
  // libav sees the end of a stream's last packet only where the stream goes on, or the file ends.
  std::int64_t position = -1;
  for (PacketEntry& p : packets) {
    p.late = !kept.empty() && p.position >= 0 && p.position < position;
    if (p.late) p.shown = false, p.pts = p.dts = AV_NOPTS_VALUE;
    position = std::max(position, p.position);
  }
  return kept;
}

}  // namespace

Timeline::Timeline(std::vector<PacketEntry> packets, AVRational time_base, double fps) : packets_(std::move(packets)) {
  std::vector<std::int64_t> stamps;
  for (int i = 0; i < static_cast<int>(packets_.size()); ++i) {
    if (!packets_[i].shown) continue;
    packet_of_.push_back(i);
    has_pts_ = has_pts_ && packets_[i].pts != AV_NOPTS_VALUE;
  }
  const double frame = 1.0 / (fps > 0 ? fps : kFallbackFps);
  const auto has_dts = [&](int i) { return packets_[i].dts != AV_NOPTS_VALUE; };
  if (has_pts_) {
    std::stable_sort(packet_of_.begin(), packet_of_.end(),
                     [&](int a, int b) { return packets_[a].pts < packets_[b].pts; });
    for (const int i : packet_of_) stamps.push_back(packets_[i].pts);
  } else if (std::all_of(packet_of_.begin(), packet_of_.end(), has_dts)) {
    // A stream's presentation times are its decoding times, delayed by the reorder delay.
    for (const int i : packet_of_) stamps.push_back(packets_[i].dts);
    std::sort(stamps.begin(), stamps.end());
  }
  for (std::size_t k = 0; k < packet_of_.size(); ++k) {
    if (stamps.empty()) {
      times_.push_back(static_cast<double>(k) * frame);
      continue;
    }
    // Difference in floating point: hostile timestamps may be more than 63 bits apart.
    const double ticks = static_cast<double>(stamps[k]) - static_cast<double>(stamps[0]);
    times_.push_back(std::abs(ticks) < 4e15 ? static_cast<double>(stamps[k] - stamps[0]) * time_base.num / time_base.den
                                            : ticks * time_base.num / time_base.den);
  }
  if (times_.empty()) return;
  const std::int64_t last = packets_[packet_of_.back()].duration;
  end_ = times_.back() + (last > 0 ? static_cast<double>(last) * av_q2d(time_base) : frame);
  file_end_ = end_;
}

Result<Timeline> Timeline::read(Input& input) {
  const auto packet = libav::owned<libav::PacketPtr>(av_packet_alloc());
  const double most = std::max(1.0, input.limits().max_duration) * kMaxFps;
  const AVStream& video = input.stream();
  const bool restarts = input.times_may_restart();
  std::vector<PacketEntry> packets;
  std::vector<int> streams;  // of each packet
  double file_end = 0.0;
  using Streams = Input::Streams;
  input.select(input.claim().whole_file ? Streams::all : restarts ? Streams::similar : Streams::video);
  for (;;) {
    const auto more = input.read(*packet);
    if (!more) return fail(more.error());
    if (!*more) break;
    const int stream = packet->stream_index;
    if (packet->pts != AV_NOPTS_VALUE) {
      const AVRational base = input.format().streams[stream]->time_base;
      file_end = std::max(file_end, static_cast<double>(packet->pts) * av_q2d(base) +
                                        static_cast<double>(packet->duration) * av_q2d(base));
    }
    if (stream != video.index && !(restarts && input.is_similar(stream))) continue;
    if (static_cast<double>(packets.size()) >= most)
      return fail(input.error(Code::too_large, "has more than " + std::to_string(packets.size()) +
                                                   " frames, too many for media.max_duration"));
    packets.push_back(entry_of(*packet));
    if (restarts) streams.push_back(stream);
  }
  const std::vector<int> parts = keep_parts(packets, streams, video.index);
  input.set_parts(parts);
  input.select(Streams::video);
  const bool rewritten = restarts && make_continuous(packets, video.time_base, input.probe().fps, video.pts_wrap_bits);
  Timeline timeline(std::move(packets), video.time_base, input.probe().fps);
  timeline.problem_ = input.read_problem();
  timeline.joined_ = rewritten || !parts.empty();
  if (!timeline.joined_) timeline.file_end_ = std::max(timeline.end_, file_end - input.start_seconds());
  return timeline;
}

int Timeline::reorder_delay() const {
  if (!has_pts_) return 0;
  std::vector<int> rank(packets_.size(), -1);  // position on screen, by position in decode order
  for (int k = 0; k < static_cast<int>(packet_of_.size()); ++k) rank[packet_of_[k]] = k;
  int delay = 0, decoded = 0;
  for (const int r : rank) {
    if (r < 0) continue;
    delay = std::max(delay, decoded - r);  // at least this many of the frames decoded before it are shown after it
    ++decoded;
  }
  return delay;
}

int Timeline::frame_at(double t) const {
  const auto after = std::upper_bound(times_.begin(), times_.end(), t + kTolerance);
  return std::max(0, static_cast<int>(after - times_.begin()) - 1);
}

std::vector<int> Timeline::key_at_or_before() const {
  std::vector<int> result(packets_.size(), 0);
  for (int i = 1; i < static_cast<int>(packets_.size()); ++i) result[i] = packets_[i].key ? i : result[i - 1];
  return result;
}

std::vector<Run> Timeline::plan(const std::vector<int>& frames, bool jump) const {
  std::vector<Run> runs;
  if (frames.empty()) return runs;
  if (!has_pts_) return {{0, static_cast<int>(packets_.size()) - 1, frames}};
  const std::vector<int> key_before = key_at_or_before();
  for (const int frame : frames) {
    const int packet = packet_of_[frame];
    int key = jump ? key_before[packet] : 0;
    // A frame shown before the key picture may need pictures from before it (open group of pictures).
    while (key > 0 && packets_[key].pts > packets_[packet].pts) key = key_before[key - 1];
    if (runs.empty() || key > runs.back().last + kMinJump) runs.push_back({key, packet, {}});
    Run& run = runs.back();
    run.first = std::min(run.first, key);
    run.last = std::max(run.last, packet);
    run.frames.push_back(frame);
  }
  return runs;
}

}  // namespace reeltag::media
