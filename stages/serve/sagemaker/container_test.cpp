#include <gtest/gtest.h>

#include <map>

#include "reeltag/serve/sagemaker.hpp"

namespace reeltag::serve::sagemaker {
namespace {

Container container(const std::map<std::string, std::string>& variables, int processors = 2) {
  return container_from(
      [&](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      processors);
}

TEST(Container, HasThePlatformsDefaults) {
  const auto c = container({});
  EXPECT_EQ(c.port, 8080);
  EXPECT_EQ(c.base, "/opt/ml");
  EXPECT_FALSE(c.options.media_type);
  EXPECT_LE(c.options.max_response_bytes, 6 << 20);
  EXPECT_LT(c.options.seconds, 25.0) << "a request must end before a drain does";
  EXPECT_LT(c.options.max_seconds, 60.0);
  EXPECT_LE(c.options.batch_at_once * c.options.batch_payload_mb, 100) << "the platform refuses more";
}

TEST(Container, FollowsTheEnvironment) {
  const auto c = container({{"SAGEMAKER_BIND_TO_PORT", "8123"},
                            {"SAGEMAKER_BASE_DIR", "/ml"},
                            {"SAGEMAKER_MAX_PAYLOAD_IN_MB", "3"},
                            {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv"},
                            {"SAGEMAKER_MODEL_SERVER_TIMEOUT", "10"},
                            {"SAGEMAKER_MODEL_SERVER_WORKERS", "7"}});
  EXPECT_EQ(c.port, 8123);
  EXPECT_EQ(c.base, "/ml");
  EXPECT_EQ(c.options.max_request_bytes, 3 << 20);
  EXPECT_EQ(c.options.max_text_bytes, 3 << 20);
  EXPECT_EQ(c.options.media_type, MediaType::csv);
  EXPECT_DOUBLE_EQ(c.options.seconds, 9.0);
  EXPECT_DOUBLE_EQ(c.options.max_seconds, 9.0);
  EXPECT_EQ(c.options.workers, 7);
}

TEST(Container, OfABatchSaysWhatTheJobSays) {
  const auto c = container({{"SAGEMAKER_BATCH", "true"},
                            {"SAGEMAKER_BATCH_STRATEGY", "MULTI_RECORD"},
                            {"SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", "3"},
                            {"SAGEMAKER_MAX_PAYLOAD_IN_MB", "0"}});
  EXPECT_EQ(c.options.batch_strategy, "MULTI_RECORD");
  EXPECT_EQ(c.options.batch_at_once, 3);
  EXPECT_EQ(c.options.batch_payload_mb, 0);
  EXPECT_EQ(c.options.max_request_bytes, Options{}.max_request_bytes) << "0 is any size";
  EXPECT_GT(c.options.max_response_bytes, 6 << 20);
  EXPECT_DOUBLE_EQ(c.options.seconds, 54.0);
}

TEST(Container, RefusesAWrongVariableByName) {
  for (const auto& [name, value] :
       std::multimap<std::string, std::string>{{"SAGEMAKER_BIND_TO_PORT", "http"},
                                               {"SAGEMAKER_BIND_TO_PORT", "70000"},
                                               {"SAGEMAKER_MAX_PAYLOAD_IN_MB", "6.5"},
                                               {"SAGEMAKER_MODEL_SERVER_TIMEOUT", "0"},
                                               {"SAGEMAKER_BATCH_STRATEGY", "ALL"},
                                               {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "a/b"}}) {
    try {
      container({{name, value}});
      ADD_FAILURE() << name;
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::invalid_config);
      EXPECT_NE(std::string(e.what()).find(name), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace reeltag::serve::sagemaker
