// Runs the conformance suite on a real S3 server that checks signatures, and tests failures specific to object stores:
// secrets, permissions, busy, silent and dying servers, unfinished uploads, the folder of copies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "copies.hpp"
#include "reeltag/base/file.hpp"
#include "s3_server.hpp"
#include "store_conformance.hpp"

namespace reeltag::store {
namespace {

namespace fs = std::filesystem;
using test::Fault;
using test::FaultyProxy;
using test::S3Server;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// One server shared by all tests that do not stop it, from the first of them to the end of the program.
std::unique_ptr<S3Server>& shared_server() {
  static std::unique_ptr<S3Server> server;
  if (!server) server = std::make_unique<S3Server>();
  return server;
}

class Ending final : public testing::Environment {
  void TearDown() override {
    shut_down();
    shared_server().reset();
  }
};
[[maybe_unused]] const auto* const kEnding = testing::AddGlobalTestEnvironment(new Ending);

class S3Location final : public StorePlace {
 public:
  explicit S3Location(std::string prefix) : place_(shared_server()->make_bucket() + std::move(prefix)) {}
  std::unique_ptr<Store> open() override { return store::open(shared_server()->url(place_)); }

 private:
  std::string place_;
};

std::string name_of(const testing::TestParamInfo<StoreFactory>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    S3, StoreConformance,
    testing::Values(StoreFactory{"bucket", [] { return std::make_unique<S3Location>(""); }},
                    StoreFactory{"prefix", [] { return std::make_unique<S3Location>("/some/pre%20fix+%25"); }}),
    name_of);

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class S3Store : public testing::Test {
 protected:
  S3Server& server_ = *shared_server();
  std::string bucket_ = server_.make_bucket();

  [[nodiscard]] Options options(int port = 0) const {
    Options options;
    options.url = server_.url(bucket_ + "/p", port);
    options.connect_timeout = 2;
    options.timeout = 2;
    options.retry_seconds = 20;
    return options;
  }
};

TEST_F(S3Store, SaysItsUrlWithoutTheSecretAndIsOpenedByIt) {
  const auto store = open(options());
  EXPECT_THAT(store->url(),
              AllOf(testing::StartsWith("s3://" + bucket_ + "/p?"), HasSubstr("region=us-east-1"),
                    HasSubstr("endpoint_override=127.0.0.1:"), HasSubstr("scheme=http"), Not(HasSubstr("secret"))));
  store->put("k", "v");
  EXPECT_EQ(open(store->url())->get("k"), "v");
  EXPECT_EQ(slurp(server_.folder(bucket_) / "p" / "k"), "v");
}

TEST_F(S3Store, AWrongSecretAndAnUnknownBucketAreSaidAtOnce) {
  S3Server::allow("testkey", "wrong-secret-77");
  const auto secret = error_of([&] { open(options()); });
  S3Server::allow("testkey", "testsecret123");
  EXPECT_EQ(secret.code, Code::permission_denied);
  EXPECT_THAT(secret.message,
              AllOf(HasSubstr("s3://" + bucket_), HasSubstr("AWS_SECRET_ACCESS_KEY"), Not(HasSubstr("77"))));
  auto elsewhere = options();
  elsewhere.url = server_.url("no-such-bucket");
  const auto bucket = error_of([&] { open(elsewhere); });
  EXPECT_EQ(bucket.code, Code::not_found);
  EXPECT_THAT(bucket.message, AllOf(HasSubstr("no-such-bucket"), HasSubstr("make it")));
}

TEST_F(S3Store, ASecretThatIsRefusedLaterNamesTheKey) {
  const auto store = open(options());
  store->put("k", "v");
  S3Server::allow("testkey", "wrong-secret-77");
  const auto other = error_of([&] { open(options())->put("videos/new", "v"); });
  S3Server::allow("testkey", "testsecret123");
  EXPECT_EQ(other.code, Code::permission_denied);
  EXPECT_EQ(store->get("k"), "v");  // an open store keeps its credentials
}

TEST_F(S3Store, WithoutCredentialsItSaysWhereTheyComeFrom) {
  for (const auto* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) ::unsetenv(name);
  ::setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
  const auto error = error_of([&] { open(options()); });
  S3Server::allow("testkey", "testsecret123");
  EXPECT_EQ(error.code, Code::permission_denied);
  EXPECT_THAT(error.message, HasSubstr("AWS_PROFILE"));
}

TEST_F(S3Store, NoServerIsUnavailableWithinTheBudget) {
  int port = 0;
  test::listen_anywhere(port);  // closed again
  auto nobody = options(port);
  nobody.retry_seconds = 1;
  const auto begin = std::chrono::steady_clock::now();
  const auto error = error_of([&] { open(nobody); });
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, AllOf(HasSubstr(std::to_string(port)), HasSubstr("can be reached")));
  EXPECT_LT(seconds_since(begin), 10.0);
}

TEST_F(S3Store, ASilentServerIsGivenUp) {
  FaultyProxy proxy(server_.port());
  auto by_proxy = options(proxy.port());
  by_proxy.retry_seconds = 0;
  const auto store = open(by_proxy);
  store->put("k", "v");
  proxy.inject(Fault::silent, 1000);
  const auto begin = std::chrono::steady_clock::now();
  const auto error = error_of([&] { store->get("k"); });
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, AllOf(HasSubstr("'k'"), HasSubstr("s3://" + bucket_)));
  EXPECT_LT(seconds_since(begin), 20.0);
  proxy.inject(Fault::none, 0);
  EXPECT_EQ(store->get("k"), "v");
}

class S3Faults : public S3Store, public testing::WithParamInterface<Fault> {};

TEST_P(S3Faults, AreTriedAgainUntilTheyEnd) {
  FaultyProxy proxy(server_.port());
  const auto store = open(options(proxy.port()));
  std::vector<std::function<void()>> calls = {
      [&] { store->put("k", "value"); },
      [&] { EXPECT_EQ(store->list("").size(), 1U); },
      [&] { EXPECT_TRUE(store->unfinished().empty()); },
  };
  // These begin with a HEAD, whose response has no body for the code "RequestTimeout".
  if (GetParam() != Fault::timed_out) {
    calls.emplace_back([&] { EXPECT_EQ(store->get("k"), "value"); });
    calls.emplace_back([&] { EXPECT_EQ(store->stat("k")->size_bytes, 5); });
    calls.emplace_back([&] { EXPECT_EQ(slurp(store->local_path("k")), "value"); });
    calls.emplace_back([&] { EXPECT_TRUE(store->remove("k")); });
  }
  for (const auto& call : calls) {
    const int before = proxy.failed();
    proxy.inject(GetParam(), 4);
    call();
    EXPECT_EQ(proxy.failed(), before + 4);
  }
}

TEST_P(S3Faults, AreUnavailableWhenTheyDoNotEnd) {
  FaultyProxy proxy(server_.port());
  auto impatient = options(proxy.port());
  impatient.retry_seconds = 1.5;
  const auto store = open(impatient);
  proxy.inject(GetParam(), 1'000'000);
  for (const auto& call : std::vector<std::function<void()>>{[&] { store->put("k", "v"); }, [&] { store->get("k"); },
                                                             [&] { store->list(""); }, [&] { store->unfinished(); },
                                                             [&] { store->remove("k"); }}) {
    const auto begin = std::chrono::steady_clock::now();
    const auto error = error_of(call);
    EXPECT_EQ(error.code, Code::unavailable) << error.message;
    EXPECT_THAT(error.message, HasSubstr(bucket_));
    EXPECT_LT(seconds_since(begin), 15.0);
  }
  EXPECT_GT(proxy.failed(), 10);
}

INSTANTIATE_TEST_SUITE_P(All, S3Faults, testing::Values(Fault::slow_down, Fault::timed_out, Fault::reset));

// Uses a separate server, because the test kills it.
TEST(S3Uploads, AServerThatDiesInTheMiddleLeavesNothingToSeeAndTheNextTryWorks) {
  S3Server server;
  const auto bucket = server.make_bucket();
  FaultyProxy proxy(server.port());
  const TemporaryFolder folder;
  const std::string bytes(24 << 20, 'x');
  std::ofstream(folder.path() / "large", std::ios::binary) << bytes;
  Options options;
  options.url = server.url(bucket + "/p", proxy.port());
  options.timeout = 5;
  options.retry_seconds = 1;
  const auto store = open(options);
  proxy.cut_after(15 << 20);  // within the second part
  std::jthread killer([&](const std::stop_token& stop) {
    while (!proxy.was_cut() && !stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    server.stop();
  });
  const auto error = error_of([&] { store->put_file("videos/large.mp4", folder.path() / "large"); });
  killer.join();
  EXPECT_EQ(error.code, Code::unavailable) << error.message;
  EXPECT_THAT(error.message, AllOf(HasSubstr("videos/large.mp4"), HasSubstr(bucket)));

  server.start();
  options.url = server.url(bucket + "/p");
  const auto again = open(options);
  EXPECT_TRUE(again->list("").empty());
  EXPECT_FALSE(again->stat("videos/large.mp4").has_value());
  EXPECT_EQ(again->get("videos/large.mp4"), std::nullopt);
  const auto left = again->unfinished();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].name, "videos/large.mp4");
  EXPECT_NEAR(static_cast<double>(left[0].begun), static_cast<double>(std::time(nullptr)), 120.0);

  again->put_file("videos/large.mp4", folder.path() / "large");
  EXPECT_TRUE(again->get("videos/large.mp4") == bytes);
  EXPECT_TRUE(again->discard(left[0]));
  EXPECT_FALSE(again->discard(left[0]));
  EXPECT_TRUE(again->unfinished().empty());
  EXPECT_TRUE(again->get("videos/large.mp4") == bytes);
}

TEST_F(S3Store, AFileThatBreaksOffIsNotPublished) {
  const auto store = open(options());
  // A folder opens like a file and fails at the first read; so does /proc/self/mem, which reports to be a regular file.
  const auto error = error_of([&] { store->put_file("videos/x", "/proc/self/mem"); });
  EXPECT_THAT(error.message, HasSubstr("/proc/self/mem"));
  EXPECT_TRUE(store->list("").empty());
  EXPECT_TRUE(store->unfinished().empty());
}

TEST_F(S3Store, DamagedBytesAreNoticed) {
  const auto store = open(options());
  store->put("k", "the right bytes");
  std::ofstream(server_.folder(bucket_) / "p" / "k", std::ios::binary) << "the wrong bytes";
  const auto error = error_of([&] { store->get("k"); });
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, AllOf(HasSubstr("'k'"), HasSubstr("damaged")));
}

TEST_F(S3Store, CopiesAreSharedKeptInBoundsAndDropped) {
  const TemporaryFolder cache;
  auto bounded = options();
  bounded.cache = cache.path() / "copies";
  bounded.cache_bytes = 3'000'000;
  const auto store = open(bounded), other = open(bounded);
  store->put("first", std::string(1'000'000, 'a'));
  const auto path = store->local_path("first");
  EXPECT_EQ(other->local_path("first"), path);
  const auto age = [](const fs::path& copy) {
    fs::last_write_time(copy, fs::file_time_type::clock::now() - std::chrono::hours(1));
  };
  for (int i = 0; i < 6; ++i) {
    store->put(std::to_string(i), std::string(1'000'000, 'b'));
    age(store->local_path(std::to_string(i)));
  }
  std::int64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(bounded.cache))
    bytes += entry.is_regular_file() ? static_cast<std::int64_t>(entry.file_size()) : 0;
  EXPECT_LE(bytes, bounded.cache_bytes);
  EXPECT_TRUE(fs::exists(path)) << "asked for a moment ago";
  age(path);
  const auto dry = store->drop_copies(std::chrono::minutes(10), true);
  EXPECT_GT(dry.files, 0);
  EXPECT_TRUE(fs::exists(path));
  EXPECT_EQ(store->drop_copies(std::chrono::minutes(10), false).bytes, dry.bytes);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(slurp(store->local_path("first")), std::string(1'000'000, 'a'));
}

}  // namespace
}  // namespace reeltag::store
