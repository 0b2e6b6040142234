// Computes when each frame is on screen, and which packets must be decoded for it, from one pass over the packets
// without decoding. A value, freely read from any thread. read() fails as Input does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "input.hpp"

namespace reeltag::media {

struct PacketEntry {
  std::int64_t pts = AV_NOPTS_VALUE, dts = AV_NOPTS_VALUE;  // stream time base
  std::int64_t position = -1;                               // byte in the file, -1 unknown
  std::int64_t duration = 0;                                // stream time base, 0 unknown
  int bytes = 0;
  bool key = false;    // decoding can begin here
  bool shown = false;  // false: removed by an edit list
  bool late = false;   // read only after a later part began, where it can be neither decoded nor shown
};

// Packets first..last in decode order, starting at a key packet; `frames` lists the selected ones in presentation
// order.
struct Run {
  int first = 0, last = 0;
  std::vector<int> frames;
};

class Timeline {
 public:
  // From packets in decode order. fps replaces missing durations and times.
  Timeline(std::vector<PacketEntry> packets, AVRational time_base, double fps);

  static Result<Timeline> read(Input& input);

  [[nodiscard]] const std::vector<PacketEntry>& packets() const { return packets_; }
  // Frames in presentation order: seconds from the first one, and the packet of each.
  [[nodiscard]] const std::vector<double>& times() const { return times_; }
  [[nodiscard]] const std::vector<int>& packet_of() const { return packet_of_; }
  // False if the container has no presentation times (AVI): then frame k is the k-th that the decoder outputs.
  [[nodiscard]] bool has_presentation_times() const { return has_pts_; }
  // The largest number of frames that precede a frame in decode order and follow it on screen.
  [[nodiscard]] int reorder_delay() const;

  // Seconds from the first frame to the end of the last one.
  [[nodiscard]] double end() const { return end_; }
  // End of the last packet of any stream; equals end() if only the video stream was read.
  [[nodiscard]] double file_end() const { return file_end_; }
  // True if times restart or jump in the file and were rewritten as one timeline: then packets() differs from what the
  // container says, and seeking by time does not work.
  [[nodiscard]] bool joined() const { return joined_; }
  // How the file was truncated; empty if it ended normally.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  // The frame that is on screen at t seconds.
  [[nodiscard]] int frame_at(double t) const;

  // The packets to decode for these frames (sorted, no repeats). Packets between two runs need no decoding. With
  // jump = false there is one run, from the first packet to the last needed one.
  [[nodiscard]] std::vector<Run> plan(const std::vector<int>& frames, bool jump) const;

 private:
  [[nodiscard]] std::vector<int> key_at_or_before() const;

  std::vector<PacketEntry> packets_;
  std::vector<int> packet_of_;
  std::vector<double> times_;
  bool has_pts_ = true, joined_ = false;
  double end_ = 0.0, file_end_ = 0.0;
  std::string problem_;
};

}  // namespace reeltag::media
