// libav's C types and habits, made safe in one place: an owning alias per type, error texts, silence on stderr.
// Private to this module. Functions are thread-safe; what libav logs is remembered per thread.
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
// An AVIOContext made by avio_alloc_context, with its buffer, which libav may have replaced by another one.
struct FreeReader {
  void operator()(AVIOContext* io) const noexcept {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};
using ReaderPtr = std::unique_ptr<AVIOContext, FreeReader>;
using SwsPtr = std::unique_ptr<SwsContext, CFree<sws_freeContext>>;

// The result of an av_*_alloc function; memory that is not there is a std::bad_alloc.
template <class Ptr>
Ptr owned(typename Ptr::pointer raw) {
  if (raw == nullptr) throw std::bad_alloc();
  return Ptr(raw);
}

// Sends libav's log to this module instead of stderr. Called by every entry point; the first call does the work.
void silence();

// Forgets what libav logged on this thread, so that error_text() speaks of what comes next.
void clear_log();

// "Invalid data found when processing input (moov atom not found)": libav's name of the error, and the last error line
// that it logged on this thread.
std::string error_text(int av_error);

}  // namespace reeltag::media::libav
