// Encodes JPEG pictures and H.264 MP4 files.
#include <cmath>
#include <system_error>

#include "libav.hpp"
#include "reeltag/media.hpp"

namespace reeltag::media {
namespace {

using libav::owned;

// Converts RGB24 to planar YUV 4:2:0 with the given matrix and range.
class ToYuv {
 public:
  ToYuv(int width, int height, int matrix, bool full_range) : picture_(owned<libav::FramePtr>(av_frame_alloc())) {
    picture_->format = AV_PIX_FMT_YUV420P;
    picture_->width = width;
    picture_->height = height;
    picture_->color_range = full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    if (av_frame_get_buffer(picture_.get(), 0) < 0) throw std::bad_alloc();
    scaler_ = owned<libav::SwsPtr>(sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P,
                                                  SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, nullptr,
                                                  nullptr, nullptr));
    const int one = 1 << 16;
    sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1, sws_getCoefficients(matrix),
                             full_range, 0, one, one);
  }

  AVFrame& operator()(std::span<const std::uint8_t> rgb) {
    if (av_frame_make_writable(picture_.get()) < 0) throw std::bad_alloc();
    const std::uint8_t* data[4] = {rgb.data(), nullptr, nullptr, nullptr};
    const int stride[4] = {picture_->width * 3, 0, 0, 0};
    sws_scale(scaler_.get(), data, stride, 0, picture_->height, picture_->data, picture_->linesize);
    return *picture_;
  }

 private:
  libav::FramePtr picture_;
  libav::SwsPtr scaler_;
};

bool holds(std::size_t bytes, int count, int width, int height) {
  return count > 0 && width > 0 && height > 0 && width <= 65500 && height <= 65500 &&
         bytes ==
             static_cast<std::size_t>(count) * static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3;
}

// Seconds per frame as a fraction, exact for rates like 30000/1001.
AVRational frame_time(double fps) { return av_inv_q(av_d2q(fps, 100100)); }

class Mp4Writer {
 public:
  Mp4Writer(const std::filesystem::path& path, int width, int height, double fps) : path_(path) {
    AVFormatContext* format = nullptr;
    check(avformat_alloc_output_context2(&format, nullptr, "mp4", path.c_str()), "no MP4 writer");
    format_.reset(format);
    const AVCodec* x264 = avcodec_find_encoder_by_name("libx264");
    if (x264 == nullptr) throw Exception(Code::unsupported, path.string() + ": this FFmpeg has no libx264");
    codec_ = owned<libav::CodecPtr>(avcodec_alloc_context3(x264));
    set_up(width, height, fps);
    check(avcodec_open2(codec_.get(), x264, nullptr), "the encoder does not start");
    stream_ = avformat_new_stream(format_.get(), nullptr);
    if (stream_ == nullptr) throw std::bad_alloc();
    stream_->time_base = codec_->time_base;
    stream_->avg_frame_rate = codec_->framerate;
    check(avcodec_parameters_from_context(stream_->codecpar, codec_.get()), "no stream");
    AVIOContext* io = nullptr;
    check(avio_open2(&io, ("file:" + path.string()).c_str(), AVIO_FLAG_WRITE, nullptr, nullptr), "cannot be written");
    io_.reset(io);
    format_->pb = io;
    check(avformat_write_header(format_.get(), nullptr), "cannot be written");
  }

  void add(AVFrame& picture) {
    picture.pts = frames_++;
    encode(&picture);
  }

  void finish() {
    encode(nullptr);
    check(av_write_trailer(format_.get()), "cannot be finished");
    AVIOContext* io = io_.release();
    format_->pb = nullptr;
    check(avio_closep(&io), "cannot be closed");
  }

 private:
  void set_up(int width, int height, double fps) {
    AVCodecContext& c = *codec_;
    c.width = width;
    c.height = height;
    c.pix_fmt = AV_PIX_FMT_YUV420P;
    c.time_base = frame_time(fps);
    c.framerate = av_inv_q(c.time_base);
    c.colorspace = AVCOL_SPC_BT709;
    c.color_primaries = AVCOL_PRI_BT709;
    c.color_trc = AVCOL_TRC_BT709;
    c.color_range = AVCOL_RANGE_MPEG;
    // Single thread, no version strings, no dates: the same frames give the same bytes.
    c.thread_count = 1;
    c.flags |= AV_CODEC_FLAG_BITEXACT;
    format_->flags |= AVFMT_FLAG_BITEXACT;
    if ((format_->oformat->flags & AVFMT_GLOBALHEADER) != 0) c.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    // With AVX-512, x264 164 occasionally produces different bytes for the same frames.
    if ((av_get_cpu_flags() & AV_CPU_FLAG_AVX512) != 0) av_opt_set(c.priv_data, "x264-params", "asm=avx2", 0);
    av_opt_set(c.priv_data, "preset", "veryfast", 0);
    av_opt_set(c.priv_data, "crf", "18", 0);  // hardly visible loss: patterns of a pixel or two survive
  }

  void encode(const AVFrame* picture) {
    check(avcodec_send_frame(codec_.get(), picture), "a frame does not encode");
    const auto packet = owned<libav::PacketPtr>(av_packet_alloc());
    for (;;) {
      const int got = avcodec_receive_packet(codec_.get(), packet.get());
      if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) return;
      check(got, "a frame does not encode");
      if (packet->duration == 0) packet->duration = 1;
      av_packet_rescale_ts(packet.get(), codec_->time_base, stream_->time_base);
      packet->stream_index = stream_->index;
      check(av_interleaved_write_frame(format_.get(), packet.get()), "cannot be written");
    }
  }

  void check(int got, const char* what) const {
    if (got < 0) throw Exception(Code::internal, path_.string() + ": " + what + ": " + libav::error_text(got));
  }

  std::filesystem::path path_;
  libav::OutputPtr format_;
  libav::IoPtr io_;
  libav::CodecPtr codec_;
  AVStream* stream_ = nullptr;
  std::int64_t frames_ = 0;
};

}  // namespace

Result<std::string> encode_jpeg(std::span<const std::uint8_t> rgb, int width, int height, int quality) {
  libav::silence();
  libav::clear_log();
  if (!holds(rgb.size(), 1, width, height) || quality < 2 || quality > 31)
    return fail(Code::invalid_argument, "encode_jpeg: " + std::to_string(rgb.size()) + " bytes for " +
                                            std::to_string(width) + "x" + std::to_string(height) +
                                            " RGB pixels, quality " + std::to_string(quality) + " (2 to 31)");
  const AVCodec* mjpeg = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
  if (mjpeg == nullptr) return fail(Code::unsupported, "this FFmpeg has no JPEG encoder");
  const auto codec = owned<libav::CodecPtr>(avcodec_alloc_context3(mjpeg));
  codec->width = width;
  codec->height = height;
  codec->time_base = {1, 25};
  codec->pix_fmt = AV_PIX_FMT_YUVJ420P;  // JFIF: BT.601, full range
  codec->color_range = AVCOL_RANGE_JPEG;
  codec->thread_count = 1;
  codec->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
  codec->global_quality = FF_QP2LAMBDA * quality;
  codec->qmin = codec->qmax = quality;
  ToYuv to_yuv(width, height, SWS_CS_ITU601, true);
  AVFrame& picture = to_yuv(rgb);
  picture.format = AV_PIX_FMT_YUVJ420P;
  picture.quality = codec->global_quality;
  picture.pts = 0;
  const auto packet = owned<libav::PacketPtr>(av_packet_alloc());
  int got = avcodec_open2(codec.get(), mjpeg, nullptr);
  if (got >= 0) got = avcodec_send_frame(codec.get(), &picture);
  if (got >= 0) got = avcodec_receive_packet(codec.get(), packet.get());
  if (got < 0) return fail(Code::internal, "encode_jpeg: " + libav::error_text(got));
  return std::string(reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size));
}

Result<void> encode_mp4(const Frames& frames, double fps, const std::filesystem::path& path) {
  libav::silence();
  libav::clear_log();
  if (!holds(frames.data.size(), frames.count, frames.width, frames.height) || frames.width % 2 != 0 ||
      frames.height % 2 != 0 || !(fps > 0 && fps <= 1000))
    return fail(Code::invalid_argument, path.string() +
                                            ": encode_mp4 wants at least one frame, even sizes, matching data and "
                                            "0 < fps <= 1000; got " +
                                            std::to_string(frames.count) + " of " + std::to_string(frames.width) + "x" +
                                            std::to_string(frames.height) + ", " + std::to_string(frames.data.size()) +
                                            " bytes, " + std::to_string(fps) + " fps");
  // Written under another name first, so that the file under its final name is always complete.
  std::filesystem::path part = path;
  part += ".part";
  std::error_code ignored;
  try {
    Mp4Writer writer(part, frames.width, frames.height, fps);
    ToYuv to_yuv(frames.width, frames.height, SWS_CS_ITU709, false);
    for (int t = 0; t < frames.count; ++t) writer.add(to_yuv(frames.frame(t)));
    writer.finish();
    std::filesystem::rename(part, path);
    return {};
  } catch (const Exception& e) {
    std::filesystem::remove(part, ignored);
    return fail(e.error());
  } catch (const std::filesystem::filesystem_error& e) {
    std::filesystem::remove(part, ignored);
    return fail(Code::internal, path.string() + ": cannot be written: " + e.code().message());
  }
}

}  // namespace reeltag::media
