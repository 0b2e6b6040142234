// The server's periodic work: follows the model's alias, deletes bytes of removed videos, expires uploads and old jobs,
// and checks that catalog and store answer. Private to serve. run() on one thread, the rest on any.
// Failures are logged and tried again; only a first model that cannot be loaded ends run().
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

  // Whether catalog and store answered a few seconds ago.
  [[nodiscard]] bool healthy() const { return healthy_; }
  // Until the stop. Calls on_failure and returns when the first model cannot be loaded.
  void run(const std::stop_token& stop, const std::function<void(const std::exception&)>& on_failure);
  // Cleans up now.
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
