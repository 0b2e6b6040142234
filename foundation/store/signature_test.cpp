#include "signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "xml.hpp"

namespace reeltag::store {
namespace {

using testing::Contains;
using testing::EndsWith;

// Source: the examples of "Authenticating Requests: Using the Authorization Header", Amazon S3 API, 24 May 2013.
const Credentials kExample{.key = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
constexpr std::time_t kThen = 1369353600;

TEST(Signature, IsThatOfAmazonsExamples) {
  UnsignedRequest request{
      .method = "GET", .host = "examplebucket.s3.amazonaws.com", .path = "/", .query = {{"lifecycle", ""}}};
  EXPECT_THAT(sign(request, kExample, "us-east-1", kThen),
              Contains(EndsWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")));
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_THAT(sign(request, kExample, "us-east-1", kThen),
              Contains(EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")));
}

TEST(Signature, CoversTheTokenOfTemporaryCredentials) {
  auto keys = kExample;
  keys.token = "session";
  const auto headers = sign({.method = "GET", .host = "h", .path = "/"}, keys, "us-east-1", kThen);
  EXPECT_THAT(headers, Contains("x-amz-security-token: session"));
  EXPECT_THAT(headers,
              Contains(testing::HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token")));
}

TEST(Signature, QueriesAreEncodedAndSorted) {
  EXPECT_EQ(query_of({.method = "", .host = "", .path = "", .query = {{"b", "x y/+"}, {"a", "\xC3\xA9"}}}),
            "a=%C3%A9&b=x%20y%2F%2B");
}

TEST(Xml, ElementsAndTheirTexts) {
  const std::string xml = "<R><U><Key>a&amp;b &lt;&#x1F408;&#233;</Key></U><U><Key>c&bogus;&</Key></U><U><Key>cut";
  const auto found = xml_elements(xml, "U");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(xml_text(found[0], "Key"), "a&b <\xF0\x9F\x90\x88\xC3\xA9");
  EXPECT_EQ(xml_text(found[1], "Key"), "c&bogus;&");
  EXPECT_EQ(xml_text(xml, "None"), "");
  EXPECT_EQ(xml_text("<Key>&#xFFFFFFFFF;&#;&#x;</Key>", "Key"), "&#xFFFFFFFFF;&#;&#x;");
}

}  // namespace
}  // namespace reeltag::store
