// Routes of a SageMaker inference container (docs/sagemaker.md), for one model or many.
// Functions: any thread; the routes run on the server's workers, concurrently. The router keeps copies of options and
// sources; objects that these refer to must outlive it. Failure: container_from() throws Exception(invalid_config)
// naming the variable; routes answer errors and do not throw.
//
//   http::server::Router router;
//   sagemaker::add_routes(router, container.options, {.model = [&] { return model; }, .limits = media_limits});
//   server.run(router, stop::token());
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/http/router.hpp"
#include "reeltag/media.hpp"
#include "reeltag/tag.hpp"

namespace reeltag::serve::sagemaker {

using Clock = std::chrono::steady_clock;

// The format of a response.
enum class MediaType { json, json_lines, csv };

struct Options {
  std::filesystem::path scratch = "/tmp";        // bodies become unnamed files here
  std::int64_t max_request_bytes = 1LL << 30;    // the limit of asynchronous endpoints
  std::int64_t max_text_bytes = 32LL << 20;      // limit for JSON and JSON Lines, which are held in memory
  std::int64_t max_response_bytes = 6LL << 20;   // the platform cuts longer answers
  double seconds = 22.0;                         // response time if the request sets no deadline; ends before a drain
  double max_seconds = 54.0;                     // upper bound for a request's own deadline
  int at_once = 64;                              // concurrent requests; further ones get 503
  int workers = 4;                               // videos fetched and decoded concurrently
  std::optional<MediaType> media_type = {};      // if Accept leaves it open; unset: as the request
  int batch_at_once = 4, batch_payload_mb = 25;  // /execution-parameters
  std::string batch_strategy = "SINGLE_RECORD";
  std::filesystem::path capture = {};  // folder for request and response records; empty: no capture
};

// Fetches a request's reference into an open file before the deadline.
using Fetch = std::function<Result<Descriptor>(const std::string& reference, Clock::time_point deadline)>;

struct Sources {
  std::function<std::shared_ptr<tag::Model>()> model = {};  // for /invocations; null: answered 503
  std::function<bool()> is_ready = {};                      // for /ping; unset: whether there is a model
  Fetch url = {}, s3 = {};                                  // unset: such references are refused
  // Whether this request may have s3 references read, with the server's own credentials; unset: any may.
  std::function<bool(const http::server::Request& request)> may_read_objects = {};
  media::Limits limits = {};
};

// /ping, /invocations, /execution-parameters.
void add_routes(http::server::Router& router, const Options& options, const Sources& sources);

// Loads the model in a folder; unavailable: not enough memory.
using Load = std::function<Result<std::shared_ptr<tag::Model>>(const std::filesystem::path& folder)>;

// The additional routes of a multi-model endpoint: /models, /models/{model}, /models/{model}/invoke.
void add_model_routes(http::server::Router& router, const Options& options, const Sources& sources, const Load& load);

// The platform's settings from the environment of a container.
struct Container {
  std::filesystem::path base = "/opt/ml";
  int port = 8080;
  bool many_models = false;  // none below /opt/ml/model: the platform loads and unloads them
  Options options = {};
};
// get: the value of a variable, or nothing; processors: number of CPUs of this machine.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;
Container container_from(const Variables& get, int processors);

}  // namespace reeltag::serve::sagemaker
