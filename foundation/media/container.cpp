#include "container.hpp"

#include <cstring>

namespace reeltag::media {
namespace {

// Excludes playlists and scripts (hls, concat, dash, imf), which make libav open other files and addresses, and still
// pictures. Raw MJPEG (mjpeg, jpeg_pipe) is excluded because no header tells it from one JPEG picture.
constexpr const char* kReadable =
    "mov,matroska,webm,avi,gif,apng,mpegts,mpeg,mpegvideo,flv,asf,ogg,m4v,h264,hevc,obu,av1,ivf,nut,wtv,mxf,dv,rm,"
    "yuv4mpegpipe";

// Containers of video that few people have: each demuxer read is more code that meets hostile files. Without raw
// streams that libav guesses from a few bits (h261, h263, idcin), so that noise is not called a video.
constexpr const char* kUnreadVideo =
    "4xm,anm,avs,avs2,avs3,bethsoftvid,bfi,bink,c93,cavsvideo,cdxl,cine,dhav,dirac,dnxhd,dsicin,dxa,ea,film_cpk,"
    "filmstrip,flic,gdv,gxf,hnm,ifv,ingenient,ipmovie,ipu,iv8,ivr,jv,lmlm4,lvf,lxf,mgsts,mjpeg_2000,mlv,mm,mods,moflex,"
    "mpjpeg,mtv,mv,mvi,mxg,nsv,nuv,paf,pmp,pva,r3d,rl2,roq,rpl,sga,simbiosis_imx,smjpeg,smk,swf,thp,tiertexseq,tmv,ty,"
    "vc1,vc1test,vividas,vivo,vmd,wc3movie,wsvqa,xmv,yop";

}  // namespace

ContainerKind kind_of(const AVInputFormat& container) {
  if (av_match_list(container.name, kReadable, ',') > 0) return ContainerKind::readable;
  if (av_match_list(container.name, kUnreadVideo, ',') > 0) return ContainerKind::unread_video;
  return ContainerKind::no_video;
}

bool may_restart(const AVInputFormat& container) { return av_match_list(container.name, "mpegts,mpeg", ',') > 0; }

bool is_animated_webp(std::span<const std::uint8_t> head) {
  // Source: WebP Container Specification, "Extended File Format": RIFF, size, WEBP, VP8X, size, flags.
  constexpr std::uint8_t kAnimation = 0x02;
  const auto holds = [&](std::size_t at, const char* name) { return std::memcmp(head.data() + at, name, 4) == 0; };
  return head.size() >= kWebpHeadBytes && holds(0, "RIFF") && holds(8, "WEBP") && holds(12, "VP8X") &&
         (head[20] & kAnimation) != 0;
}

}  // namespace reeltag::media
