// Worker threads that claim jobs, process them and record the result. References are fetched by threads of their own,
// so that a slow site delays no upload; both then wait for one of the places in which videos are tagged, of which
// fetched ones never take all. No client has all threads. Thread-safe. The threads end with the object; a job that is
// interrupted by this goes back into the queue. Failures are recorded in the job.
//
//   JobWorkers workers(state, 2);
//   workers.wake();   // a job was accepted
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

#include "server_state.hpp"

namespace reeltag::serve {

// The places in which videos are tagged at the same time.
struct TagPlaces {
  explicit TagPlaces(int workers) : all(workers), fetched(std::max(1, workers - 1)) {}
  std::counting_semaphore<> all, fetched;
};

class JobWorkers {
 public:
  JobWorkers(ServerState& state, int workers, int fetchers);
  ~JobWorkers();
  JobWorkers(const JobWorkers&) = delete;
  JobWorkers& operator=(const JobWorkers&) = delete;
  void wake();

 private:
  void run(const catalog::JobChoice& choice, const std::stop_token& stop);
  void work_on(const catalog::Job& job, const std::stop_token& stop);

  ServerState& state_;
  TagPlaces places_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::uint64_t news_ = 0;  // count of calls of wake()
  std::vector<std::jthread> threads_;
};

}  // namespace reeltag::serve
