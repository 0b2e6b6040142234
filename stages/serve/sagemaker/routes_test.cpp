// Tests the routes alone, called as the server calls them, with a model that echoes its request.
#include <gtest/gtest.h>
#include <unistd.h>

#include <semaphore>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "reeltag/base/base64.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/serve/sagemaker.hpp"

namespace reeltag::serve::sagemaker {
namespace {

using http::server::Request;
using http::server::Response;
using nlohmann::json;

// Returns the request in its tags.
class Echo final : public tag::Model {
 public:
  const std::string& name() const override { return name_; }
  const std::filesystem::path& folder() const override { return folder_; }
  const std::vector<std::string>& vocabulary() const override { return vocabulary_; }
  Result<tag::TagResult> tag(media::Decoder& video, const std::string& name, const tag::TagRequest& ask) override {
    tag::TagResult out{.video = name, .model = name_, .duration = video.probe().duration};
    for (int i = 0; i < ask.top.value_or(2); ++i)
      out.tags.push_back({.hashtag = "tag" + std::to_string(i), .score = ask.threshold.value_or(0.5), .segments = {}});
    return out;
  }

 private:
  std::string name_ = "echo";
  std::filesystem::path folder_;
  std::vector<std::string> vocabulary_;
};

class Routes : public testing::Test {
 protected:
  Routes() {
    options_.scratch = folder_.path();
    sources_.model = [this] { return model_; };
    sources_.is_ready = [this] { return ready_ && model_ != nullptr; };
    sources_.limits.isolate = "never";
    media::Frames frames{.count = 4, .height = 32, .width = 32, .data = {}, .times = {0, 0.25, 0.5, 0.75}};
    frames.data.resize(frames.frame_bytes() * 4, 99);
    value_or_throw(media::encode_mp4(frames, 4, folder_.path() / "clip.mp4"));
    clip_ = value_or_throw(read_file(folder_.path() / "clip.mp4", 1 << 20));
  }

  Response get(const std::string& path) {
    http::server::Router router;
    add_routes(router, options_, sources_);
    return router.find("GET", {path}).route->handler({.method = "GET"});
  }

  Response post(std::string_view body, std::map<std::string, std::string, std::less<>> headers) {
    http::server::Router router;
    add_routes(router, options_, sources_);
    auto begun = router.find("POST", {"invocations"})
                     .route->begin({.headers = std::move(headers),
                                    .id = "request-1",
                                    .content_length = static_cast<std::int64_t>(body.size())});
    if (auto* refusal = std::get_if<Response>(&begun)) return *refusal;
    auto& upload = *std::get<std::unique_ptr<http::server::Upload>>(begun);
    for (; !body.empty(); body.remove_prefix(std::min<std::size_t>(body.size(), 1000))) {
      if (const auto written = upload.write(body.substr(0, 1000)); !written)
        return http::server::problem(written.error());
    }
    return upload.finish();
  }

  static std::string text(const Response& response) { return std::get<std::string>(response.body); }
  static std::string header(const Response& response, const std::string& name) {
    for (const auto& [n, value] : response.headers) {
      if (n == name) return value;
    }
    return "";
  }

  TemporaryFolder folder_;
  Options options_;
  Sources sources_;
  std::shared_ptr<tag::Model> model_ = std::make_shared<Echo>();
  bool ready_ = true;
  std::string clip_;
};

TEST_F(Routes, PingIsEmptyAndFollowsTheModelAndTheDrain) {
  EXPECT_EQ(get("ping").status, 200);
  EXPECT_EQ(text(get("ping")), "");
  ready_ = false;
  EXPECT_EQ(get("ping").status, 503);
  ready_ = true;
  model_ = nullptr;
  EXPECT_EQ(get("ping").status, 503);
  EXPECT_EQ(post(clip_, {{"content-type", "video/mp4"}}).status, 503);
}

TEST_F(Routes, ExecutionParametersAreThoseOfTheJob) {
  options_.batch_at_once = 3;
  const auto answer = json::parse(text(get("execution-parameters")));
  EXPECT_EQ(answer, json({{"MaxConcurrentTransforms", 3}, {"BatchStrategy", "SINGLE_RECORD"}, {"MaxPayloadInMB", 25}}));
}

TEST_F(Routes, BytesOfAVideoAreTagged) {
  const auto response = post(clip_, {{"content-type", "video/mp4"},
                                     {"x-amzn-sagemaker-custom-attributes", "trace=7"},
                                     {"x-amzn-sagemaker-inference-id", "mine"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "Content-Type"), "application/json");
  EXPECT_EQ(header(response, "X-Amzn-SageMaker-Custom-Attributes"), "trace=7");
  const auto answer = json::parse(text(response));
  EXPECT_EQ(answer["video"], "mine");
  EXPECT_EQ(answer["tags"].size(), 2U);
  EXPECT_DOUBLE_EQ(answer["duration"], 1.0);
}

TEST_F(Routes, RequestsAndAnswersAreCapturedOnRequest) {
  options_.capture = folder_.path() / "captured";
  const auto video = post(clip_, {{"content-type", "video/mp4"}, {"x-amzn-sagemaker-inference-id", "mine"}});
  const std::string request = R"({"instances":[{"b64":"AAAA"}]})";
  const auto lines = post(request, {{"content-type", "application/json"}, {"accept", "text/csv"}});
  EXPECT_EQ(post("no video", {{"content-type", "video/mp4"}}).status, 415);  // what failed is not captured
  std::vector<json> records;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.capture)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_TRUE(entry.path().extension() == ".jsonl");
    std::istringstream all(value_or_throw(read_file(entry.path(), 1 << 20)));
    for (std::string line; std::getline(all, line);) records.push_back(json::parse(line));
  }
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0]["eventVersion"], "0");
  EXPECT_EQ(records[0]["eventMetadata"]["eventId"], "request-1");
  EXPECT_EQ(records[0]["eventMetadata"]["inferenceId"], "mine");
  const auto& data = records[0]["captureData"];
  EXPECT_EQ(data["endpointInput"]["observedContentType"], "video/mp4");
  EXPECT_EQ(data["endpointInput"]["mode"], "INPUT");
  EXPECT_EQ(data["endpointInput"]["encoding"], "BASE64");
  EXPECT_EQ(from_base64(data["endpointInput"]["data"].get<std::string>()), clip_);
  EXPECT_EQ(data["endpointOutput"]["encoding"], "JSON");
  EXPECT_EQ(data["endpointOutput"]["data"], text(video));
  EXPECT_EQ(records[1]["captureData"]["endpointInput"]["data"], request);
  EXPECT_EQ(records[1]["captureData"]["endpointOutput"]["encoding"], "CSV");
  EXPECT_EQ(records[1]["captureData"]["endpointOutput"]["data"], text(lines));
}

TEST_F(Routes, BodiesTooLargeForARecordAreCapturedWithoutTheirData) {
  options_.capture = folder_.path() / "captured";
  const std::uint32_t padding = (6U << 20) + 8;
  std::string box{static_cast<char>(padding >> 24U), static_cast<char>(padding >> 16U),
                  static_cast<char>(padding >> 8U), static_cast<char>(padding)};
  box += "free";
  box.resize(padding, 'x');
  ASSERT_EQ(post(clip_ + box, {{"content-type", "video/mp4"}}).status, 200);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.capture)) {
    if (!entry.is_regular_file()) continue;
    const auto record = json::parse(value_or_throw(read_file(entry.path(), 1 << 20)));
    EXPECT_EQ(record["captureData"]["endpointInput"]["data"], "");
  }
}

TEST_F(Routes, WhatNoFormFitsIsRefusedBeforeItsBody) {
  EXPECT_EQ(post(clip_, {{"content-type", "image/png"}}).status, 415);
  const auto refused = post(
      clip_, {{"content-type", "video/mp4"}, {"accept", "image/png"}, {"x-amzn-sagemaker-custom-attributes", "a"}});
  EXPECT_EQ(refused.status, 406);
  EXPECT_EQ(header(refused, "X-Amzn-SageMaker-Custom-Attributes"), "a");
}

TEST_F(Routes, ReferencesAreFetchedBySource) {
  sources_.url = [this](const std::string& url, Clock::time_point) -> Result<Descriptor> {
    if (url != "http://a/clip.mp4") return fail(Code::not_found, url + " is not there");
    Descriptor file = open_unnamed_file(folder_.path());
    if (::write(file.get(), clip_.data(), clip_.size()) < 0) return fail(Code::unavailable, "full");
    return file;
  };
  const auto response =
      post(R"({"instances":[{"url":"http://a/clip.mp4","top":1,"threshold":0.25},{"url":"http://a/none"},
               {"s3_uri":"s3://b/c"},{"b64":"?"}]})",
           {{"content-type", "application/json"}});
  EXPECT_EQ(response.status, 200);
  const auto p = json::parse(text(response))["predictions"];
  ASSERT_EQ(p.size(), 4U);
  EXPECT_EQ(p[0]["tags"].size(), 1U);
  EXPECT_EQ(p[0]["tags"][0]["score"], 0.25);
  EXPECT_EQ(p[1]["error"]["code"], "not_found");
  EXPECT_EQ(p[2]["error"]["code"], "unsupported");
  EXPECT_EQ(p[3]["error"]["code"], "invalid_argument");
  EXPECT_EQ(post(R"({"url":"http://a/none"})", {{"content-type", "application/json"}}).status, 404);
}

TEST_F(Routes, LinesAreAnsweredByLines) {
  const auto response = post("{\"b64\":\"AAAA\"}\nnonsense\n", {{"content-type", "application/jsonlines"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "Content-Type"), "application/jsonlines");
  const auto body = text(response);
  EXPECT_EQ(std::count(body.begin(), body.end(), '\n'), 2);
}

TEST_F(Routes, LimitsHold) {
  options_.max_request_bytes = 100;
  EXPECT_EQ(post(clip_, {{"content-type", "video/mp4"}}).status, 413);
  options_ = {};
  options_.scratch = folder_.path();
  options_.max_response_bytes = 50;
  EXPECT_EQ(post(clip_, {{"content-type", "video/mp4"}}).status, 413);
  options_.max_text_bytes = 10;
  EXPECT_EQ(post(R"({"url":"http://a/none"})", {{"content-type", "application/json"}}).status, 413);
}

TEST_F(Routes, MoreAtOnceThanThereArePlacesIs503) {
  options_.at_once = 1;
  http::server::Router router;
  add_routes(router, options_, sources_);
  const auto& begin = router.find("POST", {"invocations"}).route->begin;
  const Request request{.headers = {{"content-type", "video/mp4"}}};
  {
    const auto first = begin(request);
    EXPECT_EQ(first.index(), 1U);
    const auto second = begin(request);
    ASSERT_EQ(second.index(), 0U);
    EXPECT_EQ(std::get<Response>(second).status, 503);
  }
  EXPECT_EQ(begin(request).index(), 1U) << "a place is given back";
}

TEST_F(Routes, ADeadlineEndsTheWaitForAWorker) {
  options_.workers = 1;
  std::binary_semaphore entered(0), leave(0);
  sources_.url = [&](const std::string& url, Clock::time_point) -> Result<Descriptor> {
    entered.release();
    leave.acquire();
    return fail(Code::not_found, url + " is not there");
  };
  http::server::Router router;
  add_routes(router, options_, sources_);
  const auto& begin = router.find("POST", {"invocations"}).route->begin;
  const auto send = [&](const std::string& body) {
    auto begun = begin({.headers = {{"content-type", "application/json"}}});
    auto& upload = *std::get<std::unique_ptr<http::server::Upload>>(begun);
    EXPECT_TRUE(upload.write(body));
    return upload.finish().status;
  };
  std::jthread slow([&] { EXPECT_EQ(send(R"({"url":"http://a/"})"), 404); });
  entered.acquire();
  EXPECT_EQ(send(R"({"url":"http://b/","deadline":0.1})"), 504);
  leave.release();
}

}  // namespace
}  // namespace reeltag::serve::sagemaker
