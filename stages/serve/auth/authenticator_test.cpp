#include "auth/authenticator.hpp"

#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"

namespace reeltag::serve {
namespace {

const std::string kVisitor(64, 'a');

class AuthenticatorTest : public testing::Test {
 protected:
  static server::Request from(std::map<std::string, std::string, std::less<>> headers, std::string method = "GET") {
    headers.emplace("host", "127.0.0.1:8080");
    return {.method = std::move(method), .path = "/v1/videos", .headers = std::move(headers)};
  }
  std::string make(const std::string& name, const std::vector<std::string>& scopes) {
    return tokens_.make(name, scopes).second;
  }
  // The owner, or the status of the refusal.
  static std::string decision_on(Authenticator& authenticator, const server::Request& request,
                                 Scope scope = Scope::read) {
    const auto answer = authenticator.authorize(request, scope);
    if (const auto* refusal = std::get_if<server::Response>(&answer)) return std::to_string(refusal->status);
    return std::get<Principal>(answer).owner;
  }

  TemporaryFolder folder_;
  catalog::Tokens tokens_{catalog::connect((folder_.path() / "c.db").string())};
  const std::string local_ = "reeltag_local_" + std::string(64, '7');
  Authenticator open_{tokens_, {.open = true, .loopback = true, .local_token = local_}};
  Authenticator everywhere_{tokens_, {.open = true}};
  Authenticator closed_{tokens_, {.local_token = local_}};
};

TEST_F(AuthenticatorTest, AVisitorIsItsCookieAndNothingElse) {
  const auto one = decision_on(open_, from({{"cookie", "reeltag_visitor=" + kVisitor}}));
  EXPECT_TRUE(one.starts_with("visitor:"));
  EXPECT_EQ(one.find(kVisitor), std::string::npos);
  EXPECT_NE(one, decision_on(open_, from({{"cookie", "reeltag_visitor=" + std::string(64, 'b')}})));
  EXPECT_EQ(decision_on(open_, from({{"cookie", "reeltag_visitor=short"}})), "");
  EXPECT_EQ(decision_on(closed_, from({{"cookie", "reeltag_visitor=" + kVisitor}})), "401");
}

TEST_F(AuthenticatorTest, ProgramsOfThisMachineAreOneOwnerByTheirToken) {
  const auto with_token = [&](const std::string& token) {
    return from({{"authorization", "Bearer " + token}}, "POST");
  };
  EXPECT_EQ(decision_on(open_, with_token(local_), Scope::write), "local");
  EXPECT_EQ(decision_on(closed_, with_token(local_), Scope::write), "local");
  EXPECT_EQ(decision_on(closed_, with_token(local_), Scope::operate), "403");
  EXPECT_EQ(decision_on(open_, with_token(local_.substr(0, 20)), Scope::write), "401");
  EXPECT_EQ(decision_on(everywhere_, with_token(""), Scope::write), "401");  // no local token is no token
}

// A proxy on this machine looks like a program of it, and most say nothing of the client.
TEST_F(AuthenticatorTest, AnAddressOfThisMachineProvesNothing) {
  for (const auto& headers :
       std::vector<std::map<std::string, std::string, std::less<>>>{{},
                                                                    {{"x-forwarded-for", "10.0.0.9"}},
                                                                    {{"forwarded", "for=10.0.0.9"}},
                                                                    {{"x-real-ip", "10.0.0.9"}},
                                                                    {{"via", "1.1 proxy"}},
                                                                    {{"x-forwarded-host", "tags.example.org"}}}) {
    EXPECT_EQ(decision_on(open_, from(headers), Scope::write), "401");
    EXPECT_EQ(decision_on(open_, from(headers)), "");
  }
}

TEST_F(AuthenticatorTest, VisitorsDoNotReadWithTheServersCredentials) {
  const auto by = [&](const Principal& principal) { return may_read_objects(principal); };
  EXPECT_FALSE(by({.kind = Principal::Kind::visitor, .owner = "visitor:x", .scopes = {"read", "write"}}));
  EXPECT_FALSE(by({}));
  EXPECT_FALSE(by({.kind = Principal::Kind::token, .scopes = {"read"}}));
  EXPECT_TRUE(by({.kind = Principal::Kind::token, .scopes = {"read", "write"}}));
  EXPECT_TRUE(by(open_.authenticate(from({{"authorization", "Bearer " + local_}}))));
}

TEST_F(AuthenticatorTest, ScopesAreHeldTo) {
  const auto read = make("reader", {"read"}), write = make("writer", {"write"}), all = make("boss", {"operator"});
  const auto bearer = [](const std::string& token) { return from({{"authorization", "Bearer " + token}}, "POST"); };
  EXPECT_TRUE(decision_on(closed_, bearer(read)).starts_with("token:"));
  EXPECT_EQ(decision_on(closed_, bearer(read), Scope::write), "403");
  EXPECT_EQ(decision_on(closed_, bearer(write)), "403");
  EXPECT_TRUE(decision_on(closed_, bearer(write), Scope::write).starts_with("token:"));
  for (const auto scope : {Scope::read, Scope::write, Scope::operate})
    EXPECT_TRUE(decision_on(closed_, bearer(all), scope).starts_with("token:"));
  EXPECT_EQ(decision_on(closed_, bearer("reeltag_no")), "401");
  EXPECT_EQ(decision_on(open_, bearer("reeltag_no"), Scope::write), "401");  // an invalid token is not a visitor
  EXPECT_TRUE(closed_.authenticate(bearer(all)).viewer().all);
  EXPECT_FALSE(closed_.authenticate(bearer(read)).viewer().all);
  tokens_.revoke("boss");
  EXPECT_EQ(decision_on(closed_, bearer(all)), "401");
}

TEST_F(AuthenticatorTest, PagesOfOtherSitesCannotWriteWithACookie) {
  const auto token = make("t", {"read", "write"});
  const std::string cookie = "reeltag_visitor=" + kVisitor;
  EXPECT_EQ(decision_on(open_, from({{"cookie", cookie}, {"sec-fetch-site", "cross-site"}}, "POST"), Scope::write),
            "403");
  EXPECT_EQ(decision_on(open_, from({{"cookie", cookie}, {"sec-fetch-site", "same-site"}}, "POST"), Scope::write),
            "403");
  EXPECT_EQ(decision_on(open_, from({{"cookie", cookie}, {"origin", "https://evil.example"}}, "POST"), Scope::write),
            "403");
  EXPECT_EQ(decision_on(open_, from({{"cookie", cookie}, {"origin", "null"}}, "DELETE"), Scope::write), "403");
  EXPECT_EQ(decision_on(open_, from({{"origin", "https://evil.example"}}, "POST"), Scope::write),
            "401");  // no cookie at all
  // Neither header: an old browser, whose page could be any.
  EXPECT_EQ(decision_on(open_, from({{"cookie", cookie}}, "POST"), Scope::write), "403");
  EXPECT_EQ(decision_on(open_, from({{"cookie", "reeltag_token=" + token}}, "DELETE"), Scope::write), "403");
  EXPECT_EQ(decision_on(open_, from({{"cookie", "reeltag_token=" + token}, {"sec-fetch-site", "cross-site"}}, "POST"),
                        Scope::write),
            "403");
  EXPECT_NE(decision_on(open_, from({{"cookie", cookie}, {"sec-fetch-site", "same-origin"}}, "POST"), Scope::write),
            "403");
  EXPECT_NE(decision_on(open_, from({{"cookie", cookie}, {"origin", "http://127.0.0.1:8080"}}, "POST"), Scope::write),
            "403");
  EXPECT_NE(decision_on(open_, from({{"cookie", cookie}, {"sec-fetch-site", "cross-site"}})),
            "403");  // reading has no side effects
  EXPECT_NE(decision_on(open_, from({{"authorization", "Bearer " + token}, {"origin", "https://app.example"}}, "POST"),
                        Scope::write),
            "403");
}

TEST_F(AuthenticatorTest, OnlyItsOwnNamesAreAnswered) {
  const auto called = [](const std::string& host) {
    return server::Request{.method = "GET", .path = "/", .headers = {{"host", host}}};
  };
  EXPECT_EQ(decision_on(open_, called("rebound.example")), "421");
  for (const char* name : {"localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST:18080", "localhost.:18080"})
    EXPECT_EQ(decision_on(open_, called(name)), "");
  Authenticator named(tokens_, {.open = true, .hosts = {"tags.example.org"}});
  EXPECT_EQ(decision_on(named, called("tags.example.org")), "");
  Authenticator written(tokens_, {.open = true, .hosts = {"Tags.Example.org."}});
  for (const char* name : {"tags.example.org", "TAGS.example.ORG:443", "tags.example.org.:80"})
    EXPECT_EQ(decision_on(written, called(name)), "");
  EXPECT_EQ(decision_on(named, called("other.example.org")), "421");
}

TEST_F(AuthenticatorTest, HandlersBehindItAnswerWhatTheRequestDidWrong) {
  const auto status_of = [&](Code code) {
    const auto handler = open_.guarded(
        Scope::read, [code](const auto&, const auto&) -> server::Response { throw Exception(code, "so"); });
    return handler(from({})).status;
  };
  EXPECT_EQ(status_of(Code::invalid_argument), 422);
  EXPECT_EQ(status_of(Code::not_found), 404);
  EXPECT_THROW(status_of(Code::internal), Exception);
  const auto fine = open_.guarded(Scope::read, [](const auto&, const auto&) { return server::text("x"); })(from({}));
  const std::pair<std::string, std::string> kept{"Cache-Control", "no-store"};
  EXPECT_NE(std::find(fine.headers.begin(), fine.headers.end(), kept), fine.headers.end());
}

TEST_F(AuthenticatorTest, NewcomersGetACookieThatScriptsCannotRead) {
  const auto cookie_for = [](const Authenticator& authenticator, const server::Request& request) {
    server::Response response;
    authenticator.issue_visitor_cookie(request, response);
    return response.headers.empty() ? std::string() : response.headers.front().second;
  };
  const auto cookie = cookie_for(open_, from({}));
  EXPECT_TRUE(cookie.starts_with("reeltag_visitor="));
  // A cookie that authenticate() does not accept is replaced.
  EXPECT_NE(cookie_for(open_, from({{"cookie", "reeltag_visitor=" + std::string(64, 'x')}})), "");
  EXPECT_EQ(cookie_for(open_, from({{"cookie", "reeltag_visitor=" + std::string(64, 'a')}})), "");
  EXPECT_NE(cookie.find("HttpOnly; SameSite=Strict"), std::string::npos);
  EXPECT_EQ(cookie.find("Secure"), std::string::npos);
  EXPECT_NE(cookie, cookie_for(open_, from({})));
  for (const auto& [name, value] : std::map<std::string, std::string>{{"x-forwarded-proto", "https"},
                                                                      {"forwarded", "for=10.0.0.9;proto=https"},
                                                                      {"referer", "https://127.0.0.1:8080/library"},
                                                                      {"origin", "https://127.0.0.1:8080"}}) {
    const auto secure = cookie_for(open_, from({{name, value}}));
    EXPECT_TRUE(secure.starts_with("__Host-reeltag_visitor=")) << secure;
    EXPECT_TRUE(secure.ends_with("; Secure")) << secure;
    // Another name of the domain could have set a cookie without the prefix.
    EXPECT_NE(cookie_for(open_, from({{name, value}, {"cookie", "reeltag_visitor=" + kVisitor}})), "");
    EXPECT_EQ(cookie_for(open_, from({{name, value}, {"cookie", "__Host-reeltag_visitor=" + kVisitor}})), "");
  }
  EXPECT_TRUE(decision_on(open_, from({{"cookie", "__Host-reeltag_visitor=" + kVisitor}})).starts_with("visitor:"));
  EXPECT_EQ(cookie_for(open_, from({{"cookie", "reeltag_visitor=" + kVisitor}})), "");
  EXPECT_EQ(cookie_for(closed_, from({})), "");
}

}  // namespace
}  // namespace reeltag::serve
