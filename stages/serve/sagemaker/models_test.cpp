#include "models.hpp"

#include <gtest/gtest.h>

#include <thread>

#include <nlohmann/json.hpp>

namespace reeltag::serve::sagemaker {
namespace {

using http::server::Response;
using nlohmann::json;

class Silent final : public tag::Model {
 public:
  const std::string& name() const override { return name_; }
  const std::filesystem::path& folder() const override { return folder_; }
  const std::vector<std::string>& vocabulary() const override { return vocabulary_; }
  Result<tag::TagResult> tag(media::Decoder&, const std::string&, const tag::TagRequest&) override {
    return fail(Code::unsupported, "silent");
  }

 private:
  std::string name_ = "silent";
  std::filesystem::path folder_;
  std::vector<std::string> vocabulary_;
};

Result<std::shared_ptr<tag::Model>> load_silent(const std::filesystem::path& folder) {
  if (folder == "/none") return fail(Code::not_found, "/none holds no model");
  if (folder == "/large") return fail(Code::unavailable, "no memory for /large");
  return std::make_shared<Silent>();
}

class ModelRoutes : public testing::Test {
 protected:
  ModelRoutes() { add_model_routes(router_, {}, {}, load_silent); }

  Response ask(const std::string& method, const std::vector<std::string>& path, const std::string& body = "",
               const http::server::Pairs& query = {}) {
    const auto found = router_.find(method, path);
    return found.route->handler({.method = method, .parameters = found.parameters, .query = query, .body = body});
  }
  int load(const std::string& name, const std::string& url) {
    return ask("POST", {"models"}, json{{"model_name", name}, {"url", url}}.dump()).status;
  }
  static json body(const Response& response) { return json::parse(std::get<std::string>(response.body)); }

  http::server::Router router_;
};

TEST_F(ModelRoutes, LoadShowAndLetGo) {
  EXPECT_EQ(load("a", "/a"), 200);
  EXPECT_EQ(load("a", "/a"), 409);
  EXPECT_EQ(body(ask("GET", {"models", "a"})), json({{"modelName", "a"}, {"modelUrl", "/a"}}));
  EXPECT_EQ(ask("GET", {"models", "b"}).status, 404);
  EXPECT_EQ(ask("DELETE", {"models", "a"}).status, 200);
  EXPECT_EQ(ask("DELETE", {"models", "a"}).status, 404);
  EXPECT_EQ(ask("GET", {"models", "a"}).status, 404);
  EXPECT_EQ(load("a", "/a"), 200);
}

TEST_F(ModelRoutes, WhatDoesNotLoadIsNotThere) {
  EXPECT_EQ(load("a", "/none"), 404);
  EXPECT_EQ(load("a", "/large"), 507);
  EXPECT_EQ(ask("GET", {"models", "a"}).status, 404);
  EXPECT_EQ(load("a", "/a"), 200);
  EXPECT_EQ(ask("POST", {"models"}, "{").status, 400);
  EXPECT_EQ(ask("POST", {"models"}, R"({"model_name":"b"})").status, 400);
  EXPECT_EQ(ask("POST", {"models"}, R"({"model_name":7,"url":"/a"})").status, 400);
}

TEST_F(ModelRoutes, AreListedInPages) {
  EXPECT_EQ(body(ask("GET", {"models"})), json({{"models", json::array()}}));
  for (int i = 0; i < 250; ++i) load(std::to_string(1000 + i), "/m");
  std::vector<std::string> names;
  std::string token;
  int pages = 0;
  do {
    const auto page = body(ask("GET", {"models"}, "", {{"next_page_token", token}}));
    for (const auto& model : page["models"]) names.push_back(model["modelName"]);
    token = page.value("nextPageToken", "");
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(names.size(), 250U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST_F(ModelRoutes, InvokeNeedsTheModel) {
  const auto found = router_.find("POST", {"models", "b", "invoke"});
  const http::server::Request request{.parameters = found.parameters, .headers = {{"content-type", "video/mp4"}}};
  EXPECT_EQ(std::get<Response>(found.route->begin(request)).status, 404);
  load("b", "/b");
  EXPECT_EQ(found.route->begin(request).index(), 1U);
}

TEST(Models, RemovingWaitsForWhoAsks) {
  Models models(load_silent);
  ASSERT_TRUE(models.load("a", "/a"));
  auto held = models.find("a");
  EXPECT_EQ(models.remove("a", std::chrono::milliseconds(20)).error().code, Code::unavailable);
  EXPECT_EQ(models.find("a"), nullptr) << "no new request gets it";
  held.reset();
  ASSERT_TRUE(models.load("a", "/a"));
  held = models.find("a");
  const std::weak_ptr<tag::Model> watched = held;
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    held.reset();
  });
  EXPECT_TRUE(models.remove("a", std::chrono::seconds(10)));
  EXPECT_TRUE(watched.expired()) << "its memory is free before the answer";
}

TEST(Models, OneLoadingIsNeitherLoadedTwiceNorFound) {
  Models* self = nullptr;
  Models models([&](const std::filesystem::path& folder) {
    EXPECT_EQ(self->load("a", "/a").error().code, Code::already_exists);
    EXPECT_EQ(self->find("a"), nullptr);
    EXPECT_EQ(self->remove("a", {}).error().code, Code::not_found);
    EXPECT_TRUE(self->list({}, 9).empty());
    return load_silent(folder);
  });
  self = &models;
  EXPECT_TRUE(models.load("a", "/a"));
  EXPECT_EQ(models.list({}, 9).size(), 1U);
}

}  // namespace
}  // namespace reeltag::serve::sagemaker
