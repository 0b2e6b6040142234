#include "worker_pool.hpp"

#include <utility>

namespace reeltag::http::server {

WorkerPool::WorkerPool(int threads, int max_queued) : max_queued_(static_cast<std::size_t>(max_queued)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  change_.notify_all();
}

bool WorkerPool::start(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (tasks_.size() >= max_queued_ + idle_) return false;
  tasks_.push_back(std::move(task));
  change_.notify_one();
  return true;
}

void WorkerPool::go_on(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  change_.notify_one();
}

std::size_t WorkerPool::queued() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    change_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // destroys its captures without the lock
    lock.lock();
  }
}

}  // namespace reeltag::http::server
