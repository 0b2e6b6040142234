#include "models.hpp"

#include <thread>

#include <nlohmann/json.hpp>

#include "invocation.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::serve::sagemaker {
namespace {

using http::server::problem;
using http::server::Request;
using http::server::Response;
using nlohmann::json;

constexpr std::size_t kPage = 100;
constexpr auto kPatience = std::chrono::seconds(25);
constexpr auto kPollEvery = std::chrono::milliseconds(5);
constexpr int kNoMemory = 507;  // the platform then unloads other models

Response no_model(const std::string& name) { return problem({Code::not_found, "model " + name + " is not loaded"}); }

Response load(Models& models, const Request& request) {
  const auto body = parse_json(request.body, "the request's body");
  if (!body) return problem(body.error());
  const auto text = [&](const char* key) { return body->is_object() ? body->value(key, json()) : json(); };
  const auto name = text("model_name"), url = text("url");
  if (!name.is_string() || !url.is_string() || name.get<std::string>().empty())
    return problem({Code::invalid_argument, "the request's body must have model_name and url"});
  const auto loaded = models.load(name.get<std::string>(), url.get<std::string>());
  if (loaded) return http::server::json(json::object());
  const auto& error = loaded.error();
  log::warning("model_refused", {{"model", name.get<std::string>()}, {"message", error.message}});
  if (error.code == Code::unavailable) return problem(kNoMemory, "unavailable", error.message);
  return problem(error);
}

Response list(Models& models, const Request& request) {
  const auto found = models.list(std::string(request.query_value("next_page_token").value_or("")), kPage + 1);
  json page = json::array();
  for (const auto& [name, url] : found) {
    if (page.size() < kPage) page.push_back({{"modelName", name}, {"modelUrl", url}});
  }
  json answer{{"models", page}};
  if (found.size() > kPage) answer["nextPageToken"] = page.back()["modelName"];
  return http::server::json(answer);
}

Response show(Models& models, const std::string& name) {
  const auto url = models.url_of(name);
  return url ? http::server::json({{"modelName", name}, {"modelUrl", *url}}) : no_model(name);
}

}  // namespace

Result<void> Models::load(const std::string& name, const std::string& url) {
  {
    const std::lock_guard lock(mutex_);
    if (!entries_.emplace(name, Entry{.url = url}).second)
      return fail(Code::already_exists, "model " + name + " is loaded already");
  }
  auto model = load_(url);
  const std::lock_guard lock(mutex_);
  if (model) {
    entries_[name].model = std::move(*model);
    return {};
  }
  entries_.erase(name);
  return fail(model.error());
}

Result<void> Models::remove(const std::string& name, std::chrono::milliseconds patience) {
  std::shared_ptr<tag::Model> model;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    if (found == entries_.end() || found->second.model == nullptr)
      return fail(Code::not_found, "model " + name + " is not loaded");
    model = std::move(found->second.model);
    entries_.erase(found);
  }
  for (const auto end = Clock::now() + patience; model.use_count() > 1; std::this_thread::sleep_for(kPollEvery)) {
    if (Clock::now() > end) return fail(Code::unavailable, "model " + name + " still answers requests");
  }
  return {};
}

std::shared_ptr<tag::Model> Models::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.model;
}

std::optional<std::string> Models::url_of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second.model == nullptr) return std::nullopt;
  return found->second.url;
}

std::vector<std::pair<std::string, std::string>> Models::list(const std::string& after, std::size_t most) {
  std::vector<std::pair<std::string, std::string>> out;
  const std::lock_guard lock(mutex_);
  for (auto at = entries_.upper_bound(after); at != entries_.end() && out.size() < most; ++at) {
    if (at->second.model != nullptr) out.emplace_back(at->first, at->second.url);
  }
  return out;
}

void add_model_routes(http::server::Router& router, const Options& options, const Sources& sources, const Load& load) {
  const auto shared = std::make_shared<SharedState>(options, sources);
  const auto models = std::make_shared<Models>(load);
  const auto name_of = [](const Request& request) { return std::string(request.parameter("model")); };
  router.post("/models", [models](const Request& request) { return sagemaker::load(*models, request); });
  router.get("/models", [models](const Request& request) { return list(*models, request); });
  router.get("/models/{model}", [=](const Request& request) { return show(*models, name_of(request)); });
  router.add("DELETE", "/models/{model}", [=](const Request& request) {
    const auto removed = models->remove(name_of(request), kPatience);
    return removed ? http::server::json(json::object()) : problem(removed.error());
  });
  router.upload("POST", "/models/{model}/invoke",
                [=](const Request& request) -> std::variant<Response, std::unique_ptr<http::server::Upload>> {
                  auto model = models->find(name_of(request));
                  if (model == nullptr) return no_model(name_of(request));
                  return begin_invocation(shared, std::move(model), request);
                },
                {.max_body = options.max_request_bytes});
}

}  // namespace reeltag::serve::sagemaker
