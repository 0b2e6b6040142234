#include "input.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <utility>

#include "container.hpp"

namespace reeltag::media {
namespace {

// The number of bytes examined to detect the container and the streams' properties.
constexpr int kProbeBytes = 1 << 20;

// The size of one read by libav.
constexpr int kBufferBytes = 1 << 15;

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EACCES); }

std::string number(double x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", x);
  return text.data();
}

// The "DURATION" tag of a Matroska stream, "00:00:10.040000000", in seconds; 0 if missing or malformed.
double tagged_duration(const AVStream& stream) {
  const AVDictionaryEntry* tag = av_dict_get(stream.metadata, "DURATION", nullptr, 0);
  if (tag == nullptr) return 0.0;
  int hours = 0, minutes = 0;
  double seconds = 0;
  if (std::sscanf(tag->value, "%d:%d:%lf", &hours, &minutes, &seconds) != 3) return 0.0;
  const double total = hours * 3600.0 + minutes * 60.0 + seconds;
  return std::isfinite(total) && total > 0 ? total : 0.0;
}

bool is_picture_only(const AVStream& s) {
  return (s.disposition &
          (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS | AV_DISPOSITION_STILL_IMAGE)) != 0;
}

// libav sizes some tables by counts from the file, before it detects that the file is too short for them. No valid
// table, packet or frame (at most 16 bytes per pixel) is larger than this. The limit is process-wide; the last call
// wins.
void bound_allocations(const Limits& limits) {
  constexpr std::int64_t kMin = 512LL << 20, kMax = 1LL << 36;
  av_max_alloc(static_cast<std::size_t>(std::clamp(limits.max_pixels, kMin / 16, kMax / 16) * 16));
}

}  // namespace

Result<std::unique_ptr<Input>> Input::open(std::shared_ptr<const File> file, const Limits& limits) {
  libav::silence();
  bound_allocations(limits);
  libav::clear_log();
  std::unique_ptr<Input> input(new Input(std::move(file), limits));
  input->probe_.size_bytes = input->file_->size();
  input->start_clock();
  const auto step = [&](Result<void> (Input::*act)(), const Result<void>& before) {
    return before ? ((*input).*act)() : before;
  };
  auto done = step(&Input::open_container, {});
  done = step(&Input::choose_stream, done);
  done = step(&Input::read_headers, done);
  if (!done) return fail(done.error());
  return input;
}

void Input::start_clock() {
  const double seconds = std::clamp(limits_.max_decode_seconds, 0.0, 1e9);
  deadline_ = std::chrono::steady_clock::now() +
              std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

Error Input::timeout() const {
  return error(Code::timeout, "took longer than " + number(limits_.max_decode_seconds) +
                                  " s; raise media.max_decode_seconds if that is expected");
}

// libav reads the file through these two. They end a late call even if a demuxer does not check.
int Input::read_bytes(void* self, std::uint8_t* to, int size) {
  auto& input = *static_cast<Input*>(self);
  if (input.late()) return AVERROR_EXIT;
  const auto got = input.content_.read(input.position_, {to, static_cast<std::size_t>(std::max(size, 0))});
  if (got < 0) return AVERROR(EIO);
  if (got == 0) return AVERROR_EOF;
  input.position_ += got;
  return static_cast<int>(got);
}

std::int64_t Input::seek_to(void* self, std::int64_t offset, int whence) {
  auto& input = *static_cast<Input*>(self);
  if (whence == AVSEEK_SIZE) return input.content_.size();
  if ((whence & ~AVSEEK_FORCE) != SEEK_SET || offset < 0) return AVERROR(EINVAL);
  return input.position_ = offset;
}

Result<void> Input::check_container(const AVInputFormat& container) const {
  constexpr const char* kAdvice = "; convert it to MP4, MKV or WebM";
  std::array<std::uint8_t, kWebpHeadBytes> head{};
  if (file_->read(0, head) == static_cast<std::int64_t>(head.size()) && is_animated_webp(head))
    return fail(error(Code::unsupported, std::string("is an animated WebP, which cannot be decoded here") + kAdvice));
  const std::string name = container.long_name != nullptr ? container.long_name : container.name;
  switch (kind_of(container)) {
    case ContainerKind::readable:
      return {};
    case ContainerKind::unread_video:
      return fail(error(Code::unsupported, "is a video in a container that is not read, " + name + kAdvice));
    case ContainerKind::no_video:
      break;
  }
  return fail(error(Code::not_a_video, "is not a video: its content looks like " + name));
}

Result<void> Input::open_container() {
  content_.find([this] { return late(); });
  const AVIOInterruptCB on_wait{&Input::interrupted, this};
  auto* const buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) throw std::bad_alloc();
  io_.reset(avio_alloc_context(buffer, kBufferBytes, 0, this, &Input::read_bytes, nullptr, &Input::seek_to));
  if (!io_) {
    av_free(buffer);
    throw std::bad_alloc();
  }

  // Only the content determines the format, never the name.
  const AVInputFormat* container = nullptr;
  int got = av_probe_input_buffer2(io_.get(), &container, "", nullptr, 0, kProbeBytes);
  if (late()) return fail(timeout());
  if (got < 0) return fail(error(Code::not_a_video, "is not a video: its content has no known container"));
  if (auto readable = check_container(*container); !readable) return readable;

  AVFormatContext* format = libav::owned<libav::InputPtr>(avformat_alloc_context()).release();
  format->pb = io_.get();
  format->interrupt_callback = on_wait;
  format->io_open = refuse_to_open;  // files that the video refers to are never opened
  libav::clear_log();
  got = avformat_open_input(&format, "", container, nullptr);  // frees format on failure
  format_.reset(got < 0 ? nullptr : format);
  if (late()) return fail(timeout());
  if (got < 0)
    return fail(error(Code::not_a_video, std::string("is damaged or cut off: no readable ") + container->name +
                                             " header: " + libav::error_text(got)));
  probe_.container = container->name;
  return {};
}

void Input::pick_stream() {
  const std::span<AVStream*> streams(format_->streams, format_->nb_streams);
  std::int64_t best = -1;
  for (AVStream* s : streams) {
    const AVCodecParameters& p = *s->codecpar;
    probe_.has_audio |= p.codec_type == AVMEDIA_TYPE_AUDIO;
    if (p.codec_type != AVMEDIA_TYPE_VIDEO || is_picture_only(*s)) continue;
    // Prefers the default stream, then the largest, then the first one, as the ffmpeg program does.
    const std::int64_t pixels = static_cast<std::int64_t>(p.width) * p.height;
    const std::int64_t score = pixels + ((s->disposition & AV_DISPOSITION_DEFAULT) ? 5'000'000 : 0);
    if (score <= best) continue;
    best = score;
    stream_ = s;
  }
}

Result<void> Input::choose_stream() {
  pick_stream();
  // FLV declares its streams only by their first packets.
  if (stream_ == nullptr && (format_->ctx_flags & AVFMTCTX_NOHEADER) != 0) {
    if (auto found = find_streams(); !found) return found;
    pick_stream();
  }
  if (stream_ == nullptr) return fail(error(Code::not_a_video, "holds no video stream"));
  select(Streams::video);
  return check_size();
}

Result<void> Input::check_size() const {
  const AVCodecParameters& p = *stream_->codecpar;
  const std::int64_t pixels = static_cast<std::int64_t>(p.width) * p.height;
  if (p.width >= 0 && p.height >= 0 && pixels <= limits_.max_pixels) return {};
  return fail(error(Code::too_large, "has " + std::to_string(p.width) + "x" + std::to_string(p.height) +
                                         " pixels a frame, the limit media.max_pixels is " +
                                         std::to_string(limits_.max_pixels)));
}

// Called once only: libav 5.1 crashes on a second call.
Result<void> Input::find_streams() {
  if (std::exchange(streams_found_, true)) return {};
  // Decodes the first frames, so the pixel limit must apply here too.
  std::vector<AVDictionary*> options(format_->nb_streams, nullptr);
  for (AVDictionary*& o : options) {
    av_dict_set_int(&o, "max_pixels", limits_.max_pixels, 0);
    av_dict_set(&o, "threads", "1", 0);
  }
  format_->probesize = kProbeBytes;
  const unsigned known = format_->nb_streams;  // libav may add streams while reading
  libav::clear_log();
  const int got = avformat_find_stream_info(format_.get(), options.data());
  for (unsigned i = 0; i < known; ++i) av_dict_free(&options[i]);
  if (late()) return fail(timeout());
  if (got < 0) return fail(error(Code::not_a_video, "has no readable streams: " + libav::error_text(got)));
  return {};
}

Result<void> Input::read_headers() {
  if (auto found = find_streams(); !found) return found;
  if (auto small = check_size(); !small) return small;

  const AVCodecParameters& p = *stream_->codecpar;
  if (avcodec_find_decoder(p.codec_id) == nullptr)
    return fail(error(Code::unsupported, std::string("no decoder for codec ") + avcodec_get_name(p.codec_id)));
  const bool unknown = p.width <= 0 || p.height <= 0;
  if (unknown && libav::is_over_pixel_limit())  // raw streams: only their pictures say how large they are
    return fail(
        error(Code::too_large, "has frames over the limit media.max_pixels of " + std::to_string(limits_.max_pixels)));
  if (unknown)
    return fail(error(Code::decode_failed, std::string("its ") + avcodec_get_name(p.codec_id) +
                                               " stream cannot be decoded: " + libav::error_text(AVERROR_INVALIDDATA)));
  read_facts();
  if (probe_.duration > limits_.max_duration && !times_may_restart())
    return fail(error(Code::too_large, "lasts " + number(probe_.duration) + " s, the limit media.max_duration is " +
                                           number(limits_.max_duration) + " s"));
  return {};
}

void Input::read_facts() {
  const AVCodecParameters& p = *stream_->codecpar;
  geometry_.coded = {p.width, p.height};
  geometry_.pixel_aspect = av_guess_sample_aspect_ratio(format_.get(), stream_, nullptr);
  std::size_t bytes = 0;
  const std::uint8_t* matrix = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
  if (matrix != nullptr && bytes >= 9 * sizeof(std::int32_t))
    geometry_.orientation = Orientation::from_matrix(reinterpret_cast<const std::int32_t*>(matrix));

  const Size upright = geometry_.upright();
  probe_.codec = avcodec_get_name(p.codec_id);
  probe_.width = upright.width;
  probe_.height = upright.height;
  probe_.rotation = geometry_.orientation.degrees();
  const AVRational rate = stream_->avg_frame_rate;
  probe_.fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0.0;
  const bool guessed =
      format_->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE;  // can be wrong by any factor
  if (!guessed && stream_->duration != AV_NOPTS_VALUE && stream_->duration > 0)
    claim_.seconds = static_cast<double>(stream_->duration) * av_q2d(stream_->time_base);
  else if (const double tagged = tagged_duration(*stream_); tagged > 0)
    claim_.seconds = tagged;
  else if (!guessed && format_->duration != AV_NOPTS_VALUE && format_->duration > 0)
    claim_ = {static_cast<double>(format_->duration) / AV_TIME_BASE, true};
  // Matroska measures durations from time zero, not from the first frame.
  if (std::string_view(format_->iformat->name).starts_with("matroska"))
    claim_.seconds = std::max(0.0, claim_.seconds - start_seconds());
  probe_.duration = claim_.seconds;
}

bool Input::times_may_restart() const { return content_.joined() || may_restart(*format_->iformat); }

double Input::start_seconds() const {
  return stream_->start_time == AV_NOPTS_VALUE ? 0.0
                                               : static_cast<double>(stream_->start_time) * av_q2d(stream_->time_base);
}

void Input::select(Streams streams) {
  selected_ = streams;
  for (unsigned i = 0; i < format_->nb_streams; ++i)
    format_->streams[i]->discard = is_selected(static_cast<int>(i)) ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
}

void Input::set_parts(std::vector<int> streams) {
  parts_ = std::move(streams);
  select(selected_);
}

bool Input::is_similar(int stream) const {
  const AVStream& other = *format_->streams[stream];
  return other.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && other.codecpar->codec_id == stream_->codecpar->codec_id &&
         av_cmp_q(other.time_base, stream_->time_base) == 0;
}

bool Input::is_selected(int stream) const {
  if (selected_ == Streams::all || stream == stream_->index) return true;
  if (selected_ == Streams::similar) return is_similar(stream);
  return std::find(parts_.begin(), parts_.end(), stream) != parts_.end();
}

Result<bool> Input::read(AVPacket& packet) {
  for (;;) {
    av_packet_unref(&packet);
    libav::clear_log();
    const int got = av_read_frame(format_.get(), &packet);
    if (late()) return fail(timeout());
    if (got == AVERROR(EAGAIN)) continue;
    if (got < 0) {
      if (got != AVERROR_EOF) problem_ = libav::error_text(got);
      return false;
    }
    // libav may add streams while it reads.
    const auto at = static_cast<unsigned>(packet.stream_index);
    if (at < format_->nb_streams && is_selected(packet.stream_index)) return true;
  }
}

bool Input::seek(std::int64_t timestamp) {
  return av_seek_frame(format_.get(), stream_->index, timestamp, AVSEEK_FLAG_BACKWARD) >= 0;
}

bool Input::rewind() { return av_seek_frame(format_.get(), stream_->index, 0, AVSEEK_FLAG_BYTE) >= 0; }

}  // namespace reeltag::media
