// Worker threads that claim jobs, process them and record the result. Thread-safe. The threads end with the object; a
// job that is interrupted by this goes back into the queue. Failures are recorded in the job.
//
//   JobWorkers workers(state, 2);
//   workers.wake();   // a job was accepted
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "server_state.hpp"

namespace reeltag::serve {

class JobWorkers {
 public:
  JobWorkers(ServerState& state, int threads);
  ~JobWorkers();
  JobWorkers(const JobWorkers&) = delete;
  JobWorkers& operator=(const JobWorkers&) = delete;
  void wake();

 private:
  void run(const std::stop_token& stop);
  void work_on(const catalog::Job& job, const std::stop_token& stop);

  ServerState& state_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool news_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace reeltag::serve
