// Tests the parts of the server that need no socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "conditional.hpp"
#include "rate_limit.hpp"
#include "reeltag/http/server.hpp"
#include "reply.hpp"
#include "target.hpp"
#include "worker_pool.hpp"

namespace reeltag::http::server {
namespace {

using ::testing::ElementsAre;

Response nothing(const Request&) { return {}; }

std::string pattern_of(const Router& router, const std::string& path, const char* method = "GET") {
  const auto found = router.find(method, parse_target(path)->segments);
  return found.route == nullptr ? "" : found.route->pattern;
}

TEST(HttpRouter, TheMoreExactPatternWins) {
  Router router;
  router.get("/{rest...}", nothing).get("/v/{id}", nothing).get("/v/all", nothing).get("/v/{id}/tags", nothing);
  router.get("/v/{id}/{rest...}", nothing).post("/v/{other}", nothing).get("/", nothing);
  EXPECT_EQ(pattern_of(router, "/"), "/");
  EXPECT_EQ(pattern_of(router, "/v/all"), "/v/all");
  EXPECT_EQ(pattern_of(router, "/v/7"), "/v/{id}");
  EXPECT_EQ(pattern_of(router, "/v/7", "POST"), "/v/{other}");
  EXPECT_EQ(pattern_of(router, "/v/all", "POST"), "");  // the path /v/all has no POST: 405, whatever /v/{other} accepts
  EXPECT_EQ(pattern_of(router, "/v/7/tags"), "/v/{id}/tags");
  EXPECT_EQ(pattern_of(router, "/v/7/a/b"), "/v/{id}/{rest...}");
  EXPECT_EQ(pattern_of(router, "/v/"), "/{rest...}");  // an id is never empty
  const auto found = router.find("GET", parse_target("/v/a%2Fb/c/d%20e/")->segments);
  EXPECT_THAT(found.parameters, ElementsAre(std::pair{"id", "a/b"}, std::pair{"rest", "c/d e/"}));
  EXPECT_THAT(router.find("PUT", {"v", "7"}).allowed, ElementsAre("GET", "POST", "HEAD", "OPTIONS"));
}

TEST(HttpRouter, WrongPatternsAreBugs) {
  Router router;
  router.get("/a/{x}", nothing);
  for (const char* wrong : {"", "a", "/a{x}", "/{}", "/{...}", "/{x...}/b", "/a/{y}"})
    EXPECT_THROW(router.get(wrong, nothing), Exception) << wrong;
}

TEST(HttpTarget, DecodesOnceAndStaysInside) {
  EXPECT_THAT(parse_target("/a%252e/%E2%98%83//b/")->segments, ElementsAre("a%2e", "\xE2\x98\x83", "", "b", ""));
  EXPECT_THAT(parse_target("/?a=1&b&&=c&a=%26")->query,
              ElementsAre(std::pair{"a", "1"}, std::pair{"b", ""}, std::pair{"", "c"}, std::pair{"a", "&"}));
  EXPECT_EQ(parse_target("http://host:1/p?q")->path, "/p");
  EXPECT_EQ(parse_target("http://host")->path, "/");
  for (const char* wrong :
       {"", "a", "/..", "/a/../b", "/%2e", "/%2E%2e/", "/%", "/%1", "/%0a", "/%7f", "/a#b", "/?%", "?a"})
    EXPECT_FALSE(parse_target(wrong)) << wrong;
  EXPECT_EQ(cookie_value("a=1; b=\"2=3\";c=", "b"), "2=3");
  EXPECT_EQ(cookie_value("xa=1; a", "a"), "");
}

TEST(HttpConditional, DatesAndTags) {
  EXPECT_EQ(http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_TRUE(none_match_holds("W/\"a,b\", \"c\"", "\"a,b\""));
  for (const char* header : {"", "a", "\"a", "\"b\"", "\"b\" \"\"", ","})
    EXPECT_FALSE(none_match_holds(header, "\"a\"")) << header;
  EXPECT_FALSE(none_match_holds("*", ""));
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, ByteRange::Kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=-1", 0).kind, ByteRange::Kind::unsatisfiable);
}

TEST(HttpRateLimit, RefillsWithTimeAndForgets) {
  RateLimit limit(2.0, 3);
  RateLimit::Clock::time_point now{};
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limit.take("a", now));
  EXPECT_NEAR(*limit.take("a", now), 0.5, 1e-9);
  EXPECT_FALSE(limit.take("b", now));
  now += std::chrono::milliseconds(500);
  EXPECT_FALSE(limit.take("a", now));
  EXPECT_TRUE(limit.take("a", now));
  now += std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limit.take("a", now));  // never more than the burst
  EXPECT_TRUE(limit.take("a", now));
  for (std::size_t i = 0; i < 2 * RateLimit::kMaxClients; ++i) (void)limit.take(std::to_string(i), now);
  EXPECT_LE(limit.clients(), RateLimit::kMaxClients);
  now += std::chrono::hours(1);
  for (std::size_t i = 0; i < RateLimit::kMaxClients; ++i) (void)limit.take("new" + std::to_string(i % 2000), now);
  EXPECT_LE(limit.clients(), 4000U + RateLimit::kMaxClients / 2);
  RateLimit none(0.0, 1);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(none.take("a", now));
}

TEST(HttpWorkerPool, RunsAllThatItAccepted) {
  std::atomic<int> ran = 0, accepted = 0;
  {
    WorkerPool pool(3, 50);
    for (int i = 0; i < 10'000; ++i) accepted += pool.start([&] { ++ran; }) ? 1 : 0;
    for (int i = 0; i < 100; ++i) pool.go_on([&] { ++ran; });
  }
  EXPECT_EQ(ran, accepted + 100);
  EXPECT_GE(accepted, 50);
}

TEST(HttpProblem, EveryCodeHasAStatusThatIsNamed) {
  for (int code = 0; code <= static_cast<int>(Code::internal); ++code) {
    const int status = http_status(static_cast<Code>(code));
    EXPECT_GE(status, 400);
    EXPECT_NE(reason(status), "Unknown") << status;
  }
  EXPECT_EQ(http_status(Code::not_found), 404);
  EXPECT_EQ(http_status(Code::too_large), 413);
}

TEST(HttpReply, EveryStatusThatIsSentHasAReason) {
  for (const int status : {200, 201, 202, 204, 206, 302, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412,
                           413, 414, 415, 416, 417, 421, 422, 423, 429, 431, 460, 500, 501, 502, 503, 504, 505, 507}) {
    EXPECT_NE(reason(status), "Unknown") << status;
  }
}

TEST(HttpReply, OptionsAreConfiguration) {
  config::Values values;
  values.set("max_connections=7");
  values.set("stall_timeout=1.5");
  Options options;
  config::resolve(values, options);
  EXPECT_EQ(options.max_connections, 7);
  EXPECT_EQ(options.stall_timeout, 1.5);
  values.set("header_timeout=0");
  EXPECT_THROW(config::resolve(values, options), Exception);
}

}  // namespace
}  // namespace reeltag::http::server
