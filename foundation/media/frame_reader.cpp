#include "frame_reader.hpp"

#include <algorithm>

namespace reeltag::media {
namespace {

// Reading this many bytes costs about as much as a seek (a system call, a new buffer, an index search).
constexpr std::int64_t kSeekGap = 1 << 20;

// Codecs with reliable key flags. A GIF frame, for one, may depend on all frames before it.
bool has_true_keys(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_MPEG4:
      return true;
    default:
      return false;
  }
}

// Whether no other picture refers to the stream's "non-reference" pictures. In HEVC such a picture may still serve a
// higher temporal layer, so there the stream must have only one layer (hvcC: ISO/IEC 14496-15, 8.3.3.1).
bool may_skip_unreferenced(const AVCodecParameters& p) {
  if (p.codec_id == AV_CODEC_ID_H264 || p.codec_id == AV_CODEC_ID_MPEG4) return true;
  if (p.codec_id != AV_CODEC_ID_HEVC || p.extradata_size < 23 || p.extradata[0] != 1) return false;
  const int temporal_layers = p.extradata[21] >> 3 & 7;
  return temporal_layers == 1;
}

bool same(const PacketEntry& entry, const AVPacket& packet) {
  return entry.pts == packet.pts && entry.dts == packet.dts && entry.bytes == packet.size;
}

}  // namespace

FrameReader::FrameReader(Input& input, const Timeline& timeline, libav::CodecPtr codec)
    : input_(&input),
      timeline_(&timeline),
      codec_(std::move(codec)),
      packet_(libav::owned<libav::PacketPtr>(av_packet_alloc())),
      picture_(libav::owned<libav::FramePtr>(av_frame_alloc())),
      previous_(libav::owned<libav::FramePtr>(av_frame_alloc())) {}

Result<FrameReader> FrameReader::open(Input& input, const Timeline& timeline) {
  const AVCodecParameters& parameters = *input.stream().codecpar;
  const AVCodec* decoder = avcodec_find_decoder(parameters.codec_id);
  auto codec = libav::owned<libav::CodecPtr>(avcodec_alloc_context3(decoder));
  libav::clear_log();
  int got = avcodec_parameters_to_context(codec.get(), &parameters);
  codec->pkt_timebase = input.stream().time_base;
  codec->thread_count = 1;  // videos are decoded in parallel, not the frames of one video
  codec->max_pixels = input.limits().max_pixels;
  // The packets determine the reorder delay; without this the codec guesses, and drops frames while it adapts.
  constexpr int kMaxReorder = 16;  // H.264 A.3.1: at most 16 pictures wait
  if (parameters.codec_id == AV_CODEC_ID_H264)
    codec->has_b_frames = std::clamp(timeline.reorder_delay(), codec->has_b_frames, kMaxReorder);
  if (got >= 0) got = avcodec_open2(codec.get(), decoder, nullptr);
  if (got < 0)
    return fail(input.error(Code::decode_failed, std::string("its ") + avcodec_get_name(parameters.codec_id) +
                                                     " stream cannot be opened: " + libav::error_text(got)));
  return FrameReader(input, timeline, std::move(codec));
}

Result<std::vector<int>> FrameReader::read(const std::vector<int>& frames, const Sink& sink) {
  for (const Run& run : timeline_->plan(frames, has_true_keys(codec_->codec_id))) {
    const auto there = go_to(run.first);
    if (!there) return fail(there.error());
    if (!*there) {
      missing_.insert(missing_.end(), run.frames.begin(), run.frames.end());
      continue;
    }
    if (auto done = decode(run, sink); !done) return fail(done.error());
  }
  return missing_;
}

Result<std::vector<int>> FrameReader::read_carefully(const std::vector<int>& frames, const Sink& sink) {
  careful_ = true;
  next_packet_ = 0;
  for (const Run& run : timeline_->plan(frames, false))
    if (auto done = decode(run, sink); !done) return fail(done.error());
  return missing_;
}

// Moves to the packet: by reading over a small gap, else by a seek.
Result<bool> FrameReader::go_to(int packet) {
  const auto& packets = timeline_->packets();
  if (next_packet_ >= 0 && next_packet_ <= packet) {
    const std::int64_t from = packets[next_packet_].position, to = packets[packet].position;
    if (next_packet_ == packet || timeline_->joined() || (from >= 0 && to >= from && to - from < kSeekGap))
      return read_over(packet);
  }
  if (timeline_->joined()) {
    next_packet_ = input_->rewind() ? 0 : -1;
    return next_packet_ == 0 ? read_over(packet) : Result<bool>(false);
  }
  const bool by_pts = (input_->format().iformat->flags & AVFMT_SEEK_TO_PTS) != 0;
  const auto stamp = [&](const PacketEntry& e) {
    return (by_pts && e.pts != AV_NOPTS_VALUE) || e.dts == AV_NOPTS_VALUE ? e.pts : e.dts;
  };
  // Containers differ in where a seek lands; the packets read after it decide, and the start is the second try.
  for (const std::int64_t target : {stamp(packets[packet]), stamp(packets[0])}) {
    if (!input_->seek(target)) continue;
    const auto found = find(packet);
    if (!found || *found) return found;
  }
  next_packet_ = -1;
  return false;
}

// Moves on to a later packet without decoding the ones before it.
Result<bool> FrameReader::read_over(int packet) {
  for (; next_packet_ < packet; ++next_packet_) {
    const auto more = input_->read(*packet_);
    if (!more || !*more) return more;
  }
  return true;
}

// Gives the packet just read its times on the timeline. False if it is another one than the timeline lists.
bool FrameReader::restamp(int packet) {
  const PacketEntry& entry = timeline_->packets()[packet];
  if (entry.bytes != packet_->size) return false;
  packet_->pts = entry.pts;
  packet_->dts = entry.dts;
  return true;
}

// Reads on until the packet is in packet_; decode() continues from there.
Result<bool> FrameReader::find(int packet) {
  const PacketEntry& entry = timeline_->packets()[packet];
  for (;;) {
    const auto more = input_->read(*packet_);
    if (!more || !*more) return more;
    if (same(entry, *packet_)) {
      next_packet_ = packet;
      held_ = true;
      return true;
    }
    if (packet_->dts != AV_NOPTS_VALUE && entry.dts != AV_NOPTS_VALUE && packet_->dts > entry.dts) return false;
  }
}

Result<void> FrameReader::decode(const Run& run, const Sink& sink) {
  const bool skip =
      !careful_ && timeline_->has_presentation_times() && may_skip_unreferenced(*input_->stream().codecpar);
  std::vector<bool> wanted(static_cast<std::size_t>(run.last - run.first) + 1, false);
  for (const int frame : run.frames) wanted[static_cast<std::size_t>(timeline_->packet_of()[frame] - run.first)] = true;
  next_ = 0;
  previous_frame_ = -1;
  av_frame_unref(previous_.get());
  for (int i = run.first; i <= run.last && next_ < run.frames.size(); ++i) {
    if (!std::exchange(held_, false)) {
      const auto more = input_->read(*packet_);
      if (!more) return fail(more.error());
      if (!*more) break;
    }
    ++next_packet_;
    if (timeline_->joined() && !restamp(i)) break;
    if (timeline_->packets()[i].late) continue;
    codec_->skip_frame =
        skip && !wanted[static_cast<std::size_t>(i - run.first)] ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    if (auto sent = send(packet_.get(), run, sink); !sent) return sent;
  }
  if (next_ < run.frames.size())
    if (auto drained = send(nullptr, run, sink); !drained) return drained;
  avcodec_flush_buffers(codec_.get());
  return finish(run, sink);
}

// Sends one packet, or the end of the run (null), and processes the frames that come out.
Result<void> FrameReader::send(const AVPacket* packet, const Run& run, const Sink& sink) {
  libav::clear_log();
  if (packet != nullptr) ++packets_decoded_;
  int got = avcodec_send_packet(codec_.get(), packet);
  if (got == AVERROR(EAGAIN)) {
    if (auto done = receive(run, sink); !done) return done;
    got = avcodec_send_packet(codec_.get(), packet);
  }
  // A broken packet costs its frame, not the video; the caller decides whether too much is missing.
  if (got < 0 && got != AVERROR_EOF) problem_ = libav::error_text(got);
  if (input_->late()) return fail(input_->timeout());
  return receive(run, sink);
}

Result<void> FrameReader::receive(const Run& run, const Sink& sink) {
  for (;;) {
    const int got = avcodec_receive_frame(codec_.get(), picture_.get());
    if (input_->late()) return fail(input_->timeout());
    if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) return {};
    if (got < 0) {
      problem_ = libav::error_text(got);
      return {};
    }
    if (auto taken = take(run, sink); !taken) return taken;
  }
}

int FrameReader::frame_of(const AVFrame& picture) {
  const auto& order = timeline_->packet_of();
  const int count = static_cast<int>(order.size());
  if (!timeline_->has_presentation_times()) return decoded_ < count ? decoded_++ : -1;
  const std::int64_t pts = picture.pts != AV_NOPTS_VALUE ? picture.pts : picture.best_effort_timestamp;
  const auto& packets = timeline_->packets();
  const auto after = std::upper_bound(order.begin(), order.end(), pts,
                                      [&](std::int64_t value, int packet) { return value < packets[packet].pts; });
  if (after == order.begin() || packets[*(after - 1)].pts != pts) return -1;
  return static_cast<int>(after - order.begin()) - 1;  // of several frames with the same time the last, as on screen
}

// Matches the frame in picture_ with the expected ones.
Result<void> FrameReader::take(const Run& run, const Sink& sink) {
  const int frame = frame_of(*picture_);
  if (frame < 0) return {};  // removed by an edit list, or its time matches no packet
  for (; next_ < run.frames.size() && run.frames[next_] <= frame; ++next_) {
    const int chosen = run.frames[next_];
    if (chosen < frame && !careful_) {
      missing_.push_back(chosen);
      continue;
    }
    const bool before = chosen < frame && previous_frame_ >= 0;
    if (auto done = sink(chosen, before ? previous_frame_ : frame, before ? *previous_ : *picture_); !done) return done;
  }
  if (!careful_) return {};
  av_frame_unref(previous_.get());
  av_frame_move_ref(previous_.get(), picture_.get());
  previous_frame_ = frame;
  return {};
}

// Handles the run's expected frames that did not arrive.
Result<void> FrameReader::finish(const Run& run, const Sink& sink) {
  for (; next_ < run.frames.size(); ++next_) {
    const int chosen = run.frames[next_];
    if (previous_frame_ < 0)
      missing_.push_back(chosen);
    else if (auto done = sink(chosen, previous_frame_, *previous_); !done)
      return done;
  }
  return {};
}

}  // namespace reeltag::media
