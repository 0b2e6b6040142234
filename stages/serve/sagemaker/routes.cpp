#include <nlohmann/json.hpp>

#include "invocation.hpp"

namespace reeltag::serve::sagemaker {

using http::server::Request;
using http::server::Response;

namespace {

std::shared_ptr<tag::Model> model_of(const Sources& sources) { return sources.model ? sources.model() : nullptr; }

}  // namespace

void add_routes(http::server::Router& router, const Options& options, const Sources& sources) {
  const auto shared = std::make_shared<SharedState>(options, sources);
  router.get("/ping",
             [shared](const Request&) {
               const auto& s = shared->sources;
               const bool ready = s.is_ready ? s.is_ready() : model_of(s) != nullptr;
               return Response{.status = ready ? 200 : 503};
             },
             {.limited = false, .quiet = true});
  router.get("/execution-parameters", [shared](const Request&) {
    const auto& o = shared->options;
    return http::server::json({{"MaxConcurrentTransforms", o.batch_at_once},
                               {"BatchStrategy", o.batch_strategy},
                               {"MaxPayloadInMB", o.batch_payload_mb}});
  });
  router.upload(
      "POST", "/invocations",
      [shared](const Request& request) { return begin_invocation(shared, model_of(shared->sources), request); },
      {.max_body = options.max_request_bytes});
}

}  // namespace reeltag::serve::sagemaker
