// Does the server's periodic work: follows the model's alias, deletes the bytes of removed videos, expires uploads and
// old jobs, checks that catalog and store respond. Private to serve. run() on one thread, the rest on any. Refers to
// the state. Failures are logged and retried; only a first model that cannot be loaded ends run().
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>

#include "server_state.hpp"

namespace reeltag::serve {

class Housekeeping {
 public:
  explicit Housekeeping(ServerState& state) : state_(state) {}

  // Whether catalog and store responded a few seconds ago.
  [[nodiscard]] bool healthy() const { return healthy_; }
  // Runs until the stop. If the first model cannot be loaded, calls on_failure and returns.
  void run(const std::stop_token& stop, const std::function<void(const std::exception&)>& on_failure);
  // Triggers a cleanup now.
  void wake();

 private:
  void check_health();
  void clean_up();

  ServerState& state_;
  std::atomic<bool> healthy_ = false, woken_ = true;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

}  // namespace reeltag::serve
