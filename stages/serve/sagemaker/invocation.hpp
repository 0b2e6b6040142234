// Handles one POST to /invocations: receives the body, then answers. An Invocation belongs to one request; SharedState
// is shared by all and thread-safe. Failures are Responses.
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
  std::counting_semaphore<> slots;    // free places for requests
  std::counting_semaphore<> workers;  // free places for videos being decoded
  std::optional<Capture> capture;
};

// Refuses the request by its head, or returns the handler that takes the body and answers with this model (null: 503).
std::variant<http::server::Response, std::unique_ptr<http::server::Upload>> begin_invocation(
    const std::shared_ptr<SharedState>& shared, std::shared_ptr<tag::Model> model,
    const http::server::Request& request);

}  // namespace reeltag::serve::sagemaker
