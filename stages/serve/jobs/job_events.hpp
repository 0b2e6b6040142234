// Sends job changes to the event streams that follow them. Thread-safe; owns one thread, which ends with the object.
// Refers to the jobs. Failures of the catalog are logged and retried.
//
//   job_events.follow(job.id, stream, client);   // sends `job` at once and at each change; closes when the job ends
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "reeltag/catalog/service.hpp"
#include "reeltag/http/exchange.hpp"

namespace reeltag::serve {

class JobEvents {
 public:
  explicit JobEvents(catalog::Jobs& jobs);
  // client: as in Job; streams() counts its open streams.
  void follow(const std::string& job, std::shared_ptr<http::server::EventStream> stream, const std::string& client);
  [[nodiscard]] int streams(const std::string& client);
  // Reports a local change; changes by other servers are seen within a second.
  void wake();

 private:
  struct Follower {
    std::shared_ptr<http::server::EventStream> stream;
    std::string client;
    std::string last = {};  // last event sent
  };
  void run(const std::stop_token& stop);
  void tell(const std::string& job, std::vector<Follower>& followers);

  catalog::Jobs& jobs_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool changed_ = false;
  std::map<std::string, std::vector<Follower>> followers_;
  std::jthread thread_;
};

}  // namespace reeltag::serve
