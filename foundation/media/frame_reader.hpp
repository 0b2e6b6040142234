// Decodes selected frames of an open input: walks the runs of a plan, feeds the codec, passes on each selected frame.
// One thread. Borrows input and timeline; failures as Decoder.
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
  // Receives a frame: the selected index, the index of the frame shown (differs only if the selected one cannot be
  // decoded), and the picture.
  using Sink = std::function<Result<void>(int chosen, int actual, const AVFrame& picture)>;

  static Result<FrameReader> open(Input& input, const Timeline& timeline);

  // Frames sorted, without repeats. Decodes only the runs of packets that the frames need, and skips pictures in them
  // that no other picture refers to. Returns the frames that did not come out, as happens in files with wrong key
  // flags.
  Result<std::vector<int>> read(const std::vector<int>& frames, const Sink& sink);

  // Decodes every packet from the start of a freshly opened input. A frame that cannot be decoded is replaced by the
  // one before, which a player would leave on screen.
  Result<std::vector<int>> read_carefully(const std::vector<int>& frames, const Sink& sink);

  // Number of packets passed to the codec so far, the measure of the cost of decoding.
  [[nodiscard]] int packets_decoded() const { return packets_decoded_; }

  // The codec's last error message; empty if nothing went wrong.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  FrameReader(Input& input, const Timeline& timeline, libav::CodecPtr codec);

  Result<bool> go_to(int packet);
  Result<bool> read_over(int packet);
  Result<bool> find(int packet);
  bool restamp(int packet);
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
  int next_packet_ = -1;  // index of the next packet; -1 unknown
  bool held_ = false;     // the next packet is already in packet_
  int decoded_ = 0;       // decoded frames so far, for containers without presentation times
  std::size_t next_ = 0;  // position in the run's frames of the one expected next
  int packets_decoded_ = 0;
  bool careful_ = false;
  std::vector<int> missing_;
  std::string problem_;
};

}  // namespace reeltag::media
