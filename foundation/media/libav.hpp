// Wraps libav's C types: an owning alias per type, error texts, log capture instead of stderr.
// Private to this module. Functions are thread-safe; captured log messages are per thread.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/cpu.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>
#include <type_traits>

namespace reeltag::media::libav {

template <auto Free>
struct CFree {
  template <class T>
  void operator()(T* p) const noexcept {
    if constexpr (std::is_invocable_v<decltype(Free), T**>)
      Free(&p);
    else
      Free(p);
  }
};
using FramePtr = std::unique_ptr<AVFrame, CFree<av_frame_free>>;
using PacketPtr = std::unique_ptr<AVPacket, CFree<av_packet_free>>;
using CodecPtr = std::unique_ptr<AVCodecContext, CFree<avcodec_free_context>>;
using InputPtr = std::unique_ptr<AVFormatContext, CFree<avformat_close_input>>;
using OutputPtr = std::unique_ptr<AVFormatContext, CFree<avformat_free_context>>;
using IoPtr = std::unique_ptr<AVIOContext, CFree<avio_closep>>;
// An AVIOContext from avio_alloc_context, with its buffer, which libav may have replaced.
struct FreeReader {
  void operator()(AVIOContext* io) const noexcept {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};
using ReaderPtr = std::unique_ptr<AVIOContext, FreeReader>;
using SwsPtr = std::unique_ptr<SwsContext, CFree<sws_freeContext>>;

// Takes ownership of the result of an av_*_alloc function; throws std::bad_alloc if memory ran out.
template <class Ptr>
Ptr owned(typename Ptr::pointer raw) {
  if (raw == nullptr) throw std::bad_alloc();
  return Ptr(raw);
}

// Redirects libav's log from stderr to this module. Every entry point calls it; only the first call has an effect.
void silence();

// Clears this thread's captured log, so that error_text() refers to later calls.
void clear_log();

// Whether a picture was refused because of max_pixels since clear_log(). libav gives no error code for that.
bool is_over_pixel_limit();

// "Invalid data found when processing input (moov atom not found)": libav's name of the error, and the last error line
// logged on this thread.
std::string error_text(int av_error);

}  // namespace reeltag::media::libav
