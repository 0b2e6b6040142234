// The jobs' workers: each claims a job, works on it, and says how it ended. Threads, which end with Workers; a job that
// is interrupted by that goes back into the queue.
//
//   Workers workers(service, 2);
//   workers.wake();   // a job was accepted
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "service.hpp"

namespace reeltag::serve {

class Workers {
 public:
  Workers(Service& service, int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  void wake();

 private:
  void run(const std::stop_token& stop);
  void work_on(const catalog::Job& job, const std::stop_token& stop);

  Service& service_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool news_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace reeltag::serve
