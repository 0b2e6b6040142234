// One POST to /invocations: its body as it arrives, then its answer. An Invocation: one request; Service: shared by
// all, thread-safe.
#pragma once

#include <memory>
#include <semaphore>
#include <string>
#include <variant>

#include "capture.hpp"
#include "reeltag/http/exchange.hpp"
#include "request.hpp"

namespace reeltag::serve::sagemaker {

struct SharedState {
  SharedState(const Options& o, const Sources& s) : options(o), sources(s), slots(o.at_once), workers(o.workers) {
    if (!o.capture.empty()) capture.emplace(o.capture);
  }

  const Options options;
  const Sources sources;
  std::counting_semaphore<> slots;    // requests that may still be taken
  std::counting_semaphore<> workers;  // videos that may still be looked at
  std::optional<Capture> capture;
};

// The head of a request: refused, or who takes its body and answers with this model (nothing: 503).
std::variant<http::server::Response, std::unique_ptr<http::server::Upload>> begin_invocation(
    const std::shared_ptr<SharedState>& shared, std::shared_ptr<tag::Model> model,
    const http::server::Request& request);

}  // namespace reeltag::serve::sagemaker
