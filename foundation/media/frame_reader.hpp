// Decodes chosen frames of an open input: walks the runs of a plan, feeds the codec, hands over each chosen frame.
// One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "input.hpp"
#include "libav.hpp"
#include "timeline.hpp"

namespace reeltag::media {

class FrameReader {
 public:
  // Receives a chosen frame: the chosen one, the one that stands for it (another one only where the chosen one cannot
  // be decoded), and the picture.
  using Sink = std::function<Result<void>(int chosen, int actual, const AVFrame& picture)>;

  static Result<FrameReader> open(Input& input, const Timeline& timeline);

  // Frames sorted, no repeats. Decodes only the runs of packets that the frames need, and of these not the pictures
  // that no other picture refers to. Gives the frames that did not come out, as they may in files whose key flags lie.
  Result<std::vector<int>> read(const std::vector<int>& frames, const Sink& sink);

  // Decodes every packet from the start of a freshly opened input. The frame before stands for one that does not
  // decode, as a player would leave it on screen.
  Result<std::vector<int>> read_carefully(const std::vector<int>& frames, const Sink& sink);

  // Packets that the codec has been given so far: what decoding costs.
  [[nodiscard]] int packets_decoded() const { return packets_decoded_; }

  // The last thing the codec complained about; empty when nothing went wrong.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  FrameReader(Input& input, const Timeline& timeline, libav::CodecPtr codec);

  Result<bool> go_to(int packet);
  Result<bool> find(int packet);
  Result<void> decode(const Run& run, const Sink& sink);
  Result<void> send(const AVPacket* packet, const Run& run, const Sink& sink);
  Result<void> receive(const Run& run, const Sink& sink);
  Result<void> take(const Run& run, const Sink& sink);
  Result<void> finish(const Run& run, const Sink& sink);
  [[nodiscard]] int frame_of(const AVFrame& picture);

  Input* input_;
  const Timeline* timeline_;
  libav::CodecPtr codec_;
  libav::PacketPtr packet_;
  libav::FramePtr picture_, previous_;
  int previous_frame_ = -1;
  int next_packet_ = -1;  // the packet that comes next; -1 unknown
  bool held_ = false;     // that packet has been read already, into packet_
  int decoded_ = 0;       // frames that came out, for containers without presentation times
  std::size_t next_ = 0;  // the chosen frame of the run that is waited for
  int packets_decoded_ = 0;
  bool careful_ = false;
  std::vector<int> missing_;
  std::string problem_;
};

}  // namespace reeltag::media
