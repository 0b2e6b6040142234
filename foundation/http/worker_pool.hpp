// Threads that run handlers, which may block. Thread-safe. Tasks must not throw. The destructor runs all that was
// accepted and waits for it.
//
//   WorkerPool pool(8, 256);
//   if (!pool.start([&] { answer(request); })) refuse();
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace reeltag::http::server {

class WorkerPool {
 public:
  WorkerPool(int threads, int max_queued);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // A request's first task. False when max_queued tasks wait already and no thread is free.
  bool start(std::function<void()> task);
  // A further task of a request that has begun: never refused, as a connection has one at a time.
  void go_on(std::function<void()> task);
  [[nodiscard]] std::size_t queued() const;

 private:
  void work();

  mutable std::mutex mutex_;
  std::condition_variable change_;
  std::deque<std::function<void()>> tasks_;
  std::size_t max_queued_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::jthread> threads_;  // last: they use the others
};

}  // namespace reeltag::http::server
