// The routes of a SageMaker inference container (docs/sagemaker.md), of one model or of many.
// Functions: any thread; the routes answer on the server's workers, many at once. The router keeps copies of options
// and sources; what these refer to must outlive it. Failure: container_from() throws Exception(invalid_config) that
// names the variable; a request is answered, never thrown at.
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

// What an answer is written in.
enum class MediaType { json, json_lines, csv };

struct Options {
  std::filesystem::path scratch = "/tmp";       // bodies become files without a name here
  std::int64_t max_request_bytes = 1LL << 30;   // what an asynchronous endpoint may send
  std::int64_t max_text_bytes = 32LL << 20;     // of these, JSON and JSON Lines, which stand in memory
  std::int64_t max_response_bytes = 6LL << 20;  // the platform cuts longer answers
  double seconds = 22.0;                        // for an answer where the request sets no deadline; ends before a drain
  double max_seconds = 54.0;                    // that a request's own deadline may ask for
  int at_once = 64;                             // requests that are taken; more are answered 503
  int workers = 4;                              // videos that are fetched and decoded at once
  std::optional<MediaType> media_type = {};     // where Accept leaves it open; unset: as the request came
  int batch_at_once = 4, batch_payload_mb = 25;  // /execution-parameters
  std::string batch_strategy = "SINGLE_RECORD";
  std::filesystem::path capture = {};  // folder for the records of requests and answers; empty: none are kept
};

// Fetches what a request refers to into an open file, until then.
using Fetch = std::function<Result<Descriptor>(const std::string& reference, Clock::time_point deadline)>;

struct Sources {
  std::function<std::shared_ptr<tag::Model>()> model = {};  // for /invocations; nothing while there is none: 503
  std::function<bool()> is_ready = {};                      // for /ping; unset: when there is a model
  Fetch url = {}, s3 = {};                                  // unset: such references are refused
  media::Limits limits = {};
};

// /ping, /invocations, /execution-parameters.
void add_routes(http::server::Router& router, const Options& options, const Sources& sources);

// Loads what lies in a folder; unavailable: there is no memory for it.
using Load = std::function<Result<std::shared_ptr<tag::Model>>(const std::filesystem::path& folder)>;

// The routes of a multi-model endpoint beside these: /models, /models/{model}, /models/{model}/invoke.
void add_model_routes(http::server::Router& router, const Options& options, const Sources& sources, const Load& load);

// What the platform says in the environment of a container.
struct Container {
  std::filesystem::path base = "/opt/ml";
  int port = 8080;
  bool many_models = false;  // none of them below /opt/ml/model: the platform loads and unloads them
  Options options = {};
};
// get: the value of a variable, or nothing; processors: of this machine.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;
Container container_from(const Variables& get, int processors);

}  // namespace reeltag::serve::sagemaker
