#include "test_clips.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace reeltag::media::test {
namespace {

// testsrc2 draws a frame counter and moves in every frame.
const std::string kSource = "-f lavfi -i testsrc2=s=160x120:r=25:d=2.4 ";
// Drops frames irregularly and keeps the times of the others: variable frame rate.
const std::string kVariable = kSource + "-vf \"select='not(mod(n,3))+not(mod(n,7))'\" -vsync vfr ";
const std::string kX264 = "-c:v libx264 -crf 18 -pix_fmt yuv420p ";

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "reeltag_media_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::run(const std::string& command) const {
  const auto output = path_ / "output.txt";
  const int status =
      std::system(("cd '" + path_.string() + "' && (" + command + ") > output.txt 2> errors.txt < /dev/null").c_str());
  if (status != 0) ADD_FAILURE() << command << "\n" << content_of(path_ / "errors.txt");
  return content_of(output);
}

std::filesystem::path Folder::clip(const std::string& name, const std::string& arguments) const {
  run("ffmpeg -nostdin -v error -y " + arguments + " " + name);
  return path_ / name;
}

std::filesystem::path Folder::file(const std::string& name, const std::string& content) const {
  std::ofstream(path_ / name, std::ios::binary) << content;
  return path_ / name;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Frames ffmpeg_frames(const Folder& folder, const std::filesystem::path& clip) {
  Frames frames;
  std::vector<double> times;
  std::istringstream listed(
      folder.run("ffprobe -v error -select_streams v:0 -show_entries "
                 "frame=best_effort_timestamp_time -of csv=p=0 '" +
                 clip.string() + "'"));
  for (std::string line; std::getline(listed, line);) {
    if (line.empty()) continue;  // side data leaves such lines
    times.push_back(std::stod(line[0] == 'N' ? "nan" : line));
  }
  for (std::size_t i = 0; i < times.size(); ++i) {
    // AVI has no time for the frame that reordering delays to the end; it follows the others.
    if (std::isnan(times[i]) && i >= 2) times[i] = 2 * times[i - 1] - times[i - 2];
    frames.times.push_back(times[i] - times[0]);
  }
  folder.run("ffmpeg -nostdin -v error -y -i '" + clip.string() +
             "' -vsync passthrough -sws_flags bilinear+accurate_rnd+full_chroma_int+full_chroma_inp "
             "-vf \"scale='round(iw*if(sar,sar,1))':ih,setsar=1,format=rgb24\" -f rawvideo all.rgb"
             " -map 0:v:0 -vframes 1 -vf \"scale='round(iw*if(sar,sar,1))':ih,setsar=1\" one.png");
  std::istringstream size(folder.run("ffprobe -v error -show_entries stream=width,height -of csv=p=0:s=x one.png"));
  size >> frames.width;
  size.ignore();  // skips 160x120
  size >> frames.height;
  const std::string raw = content_of(folder / "all.rgb");
  frames.data.assign(raw.begin(), raw.end());
  if (frames.frame_bytes() > 0) frames.count = static_cast<int>(frames.data.size() / frames.frame_bytes());
  EXPECT_EQ(static_cast<std::size_t>(frames.count), frames.times.size()) << clip;
  return frames;
}

double difference(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum / static_cast<double>(std::max<std::size_t>(a.size(), 1));
}

int most_alike(const Frames& reference, std::span<const std::uint8_t> picture) {
  int best = -1;
  double least = 1e9;
  for (int t = 0; t < reference.count; ++t) {
    const double d = difference(reference.frame(t), picture);
    if (d < least) least = d, best = t;
  }
  return best;
}

std::vector<ClipKind> clip_kinds() {
  return {
      {"h264.mp4", kSource + kX264, "h264"},
      {"bframes.mp4", kSource + kX264 + "-bf 3 -b_strategy 0 -g 12", "h264"},
      {"pyramid.mov", kSource + kX264 + "-bf 7 -b_strategy 0 -x264-params b-pyramid=normal:keyint=30", "h264"},
      {"open_gop.mkv", kSource + kX264 + "-bf 3 -b_strategy 0 -x264-params open-gop=1:keyint=10:min-keyint=10", "h264"},
      {"refresh.mp4", kSource + kX264 + "-x264-params intra-refresh=1:keyint=12", "h264"},
      {"variable.mp4", kVariable + kX264 + "-bf 2 -g 9", "h264"},
      {"variable.mkv", kVariable + kX264 + "-bf 2 -g 9", "h264"},
      {"fragmented.mp4", kSource + kX264 + "-bf 2 -g 10 -movflags frag_keyframe+empty_moov", "h264"},
      {"all_keys.mp4", kSource + kX264 + "-g 1", "h264"},
      {"late.mkv", kSource + kX264 + "-bf 2 -output_ts_offset 3.7", "h264"},
      {"h264.avi", kSource + kX264 + "-bf 0", "h264"},
      {"h264.flv", kSource + kX264 + "-bf 2 -g 15", "h264"},
      {"h264.ts", kSource + kX264 + "-bf 2 -g 15", "h264"},
      {"hevc.mp4",
       kSource + "-c:v libx265 -x265-params log-level=none:keyint=15:bframes=4 -tag:v hvc1 -pix_fmt yuv420p", "hevc"},
      {"hevc.mkv", kSource + "-c:v libx265 -x265-params log-level=none:open-gop=1:keyint=12 -pix_fmt yuv420p10le",
       "hevc"},
      {"layers.mp4", kSource + "-c:v libx265 -x265-params log-level=none:temporal-layers=3:keyint=20:bframes=3",
       "hevc"},
      {"vp9.webm",
       kSource + "-c:v libvpx-vp9 -b:v 400k -g 15 -deadline realtime -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 8",
       "vp9"},
      {"vp8.webm", kSource + "-c:v libvpx -b:v 400k -deadline realtime -cpu-used 8", "vp8"},
      {"av1.webm", kSource + "-c:v libsvtav1 -preset 12 -g 15 -pix_fmt yuv420p", "av1"},
      {"av1.mp4", kSource + "-c:v libaom-av1 -cpu-used 8 -usage realtime -b:v 300k -g 20", "av1"},
      {"mpeg4.avi", kSource + "-c:v mpeg4 -q:v 3", "mpeg4"},
      {"mpeg4_b.avi", kSource + "-c:v mpeg4 -q:v 3 -bf 2", "mpeg4"},
      {"mpeg4_b.mp4", kSource + "-c:v mpeg4 -q:v 3 -bf 2 -g 10", "mpeg4"},
      {"loop.gif", kSource + "-r 10", "gif"},
      {"anim.apng", kSource + "-r 10 -plays 0", "apng"},
      {"phone.3gp", kSource + kX264 + "-bf 2", "h264"},
      {"old.3g2", kSource + "-s 176x144 -c:v mpeg4 -q:v 3", "mpeg4"},
      {"stills.mov", kSource + "-c:v jpeg2000 -pix_fmt yuv420p", "jpeg2000"},
      {"mpeg2.mxf", kSource + "-c:v mpeg2video -q:v 3 -bf 2 -g 10", "mpeg2video"},
      {"h264.mxf", kSource + kX264 + "-bf 0 -g 10 -color_range tv", "h264"},
      {"tape.dv", "-f lavfi -i testsrc2=s=720x576:r=25:d=0.9 -target pal-dv", "dvvideo"},
      {"rv10.rm", kSource + "-s 176x144 -c:v rv10 -q:v 3 -g 12", "rv10"},
      {"rv20.rm", kSource + "-s 176x144 -c:v rv20 -q:v 3 -g 12 -bf 0", "rv20"},
      {"vp8.ivf", kSource + "-c:v libvpx -b:v 400k -deadline realtime -cpu-used 8", "vp8"},
      {"vp9.ivf", kSource + "-c:v libvpx-vp9 -b:v 400k -g 15 -deadline realtime -cpu-used 8", "vp9"},
      {"av1.ivf", kSource + "-c:v libaom-av1 -cpu-used 8 -usage realtime -b:v 300k -g 20", "av1"},
      {"av1.obu", kSource + "-c:v libaom-av1 -cpu-used 8 -usage realtime -b:v 300k -g 20", "av1"},
      {"h264.nut", kSource + kX264 + "-bf 2 -g 15", "h264"},
      {"raw.y4m", kSource + "-pix_fmt yuv420p", "rawvideo"},
      {"mpeg2.m2v", kSource + "-c:v mpeg2video -q:v 3 -bf 2 -g 10", "mpeg2video"},
      {"mpeg2.mpg", kSource + "-c:v mpeg2video -q:v 3 -bf 2 -g 10", "mpeg2video"},
      {"odd.mp4", "-f lavfi -i testsrc2=s=161x121:r=25:d=1 -c:v libx264 -pix_fmt yuv444p", "h264"},
  };
}

std::vector<Implementation> implementations() {
  return {{"InProcess", [](const std::filesystem::path& p, const Limits& l) { return Decoder::open(p, l); }},
          {"Isolated", [](const std::filesystem::path& p, Limits l) {
             l.isolate = "always";
             l.worker.program = REELTAG_TEST_WORKER;
             return Decoder::open(p, l);
           }}};
}

}  // namespace reeltag::media::test
