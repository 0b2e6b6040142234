// Reports the progress of one long job on stderr: a live line on a terminal (share done, rate, remaining time, extra
// fields), else a line of JSON every few seconds:
//   {"event":"progress","name":"train","done":40,"total":100,"seconds":20.0,"rate":2.0,"remaining_seconds":30.0,
//    "loss":1.23}
// Thread-safe: workers may update one Progress at the same time. Updates between two redraws only store the numbers, so
// the cost is bounded. The destructor prints the last state as a final line. Output errors never throw.
//
//   Progress progress("train", total);
//   progress.update(done, {{"loss", 1.23}});
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "reeltag/base/log.hpp"

namespace reeltag {

class Progress {
 public:
  enum class Mode {
    automatic,  // live on a terminal, else lines
    live,       // one line, redrawn in place
    lines,      // JSON Lines
    quiet       // no output
  };
  struct Options {
    Mode mode = Mode::automatic;
    std::int64_t start = 0;                    // items done before, as in a resumed run: not part of the rate
    std::chrono::milliseconds interval{5000};  // between two JSON lines
  };

  // Sets what Mode::automatic means for every Progress created later; the program's -q and --json call it. Initially
  // automatic.
  static void set_mode(Mode mode);

  // total: the number of items; 0 when unknown.
  Progress(std::string name, std::int64_t total) : Progress(std::move(name), total, Options()) {}
  Progress(std::string name, std::int64_t total, const Options& options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // done: total number of items finished so far. The fields stay until an update passes others.
  void update(std::int64_t done, const log::Fields& fields = {});
  // done += items.
  void advance(std::int64_t items = 1, const log::Fields& fields = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reeltag
