// A thread pool for handlers, which may block. Thread-safe. Tasks must not throw. The destructor runs all accepted
// tasks and waits for them.
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

  // Queues a request's first task. False if no thread is free and max_queued tasks are waiting.
  bool start(std::function<void()> task);
  // Queues a further task of a started request: never refused, because a connection has one at a time.
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
  std::vector<std::jthread> threads_;  // last: the threads use the other members
};

}  // namespace reeltag::http::server
