// Conformance tests for Jobs, Ownership, Taggings, FeedbackLog and Tokens on each database.
#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "catalog_conformance.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/catalog/service.hpp"
#include "test_servers.hpp"

namespace reeltag::catalog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

struct ServicePlace {
  std::string name;
  std::function<std::string()> location;
};
void PrintTo(const ServicePlace& node_id, std::ostream* out) { *out << node_id.name; }

class ServiceConformance : public testing::TestWithParam<ServicePlace> {
 protected:
  Job upload(const std::string& owner, const std::string& id) {
    return jobs_.add({.owner = owner, .name = "a.mp4", .upload = id, .node_id = "here"});
  }
  // Adds a video to the catalog, and an owner if one is named.
  void bring(int number, const std::string& owner, const std::string& source = "upload") {
    catalog_->videos.add(video_of(number, {}, source));
    if (!owner.empty()) ownership_.add_owner(owner, id_of(number), "mine.mp4");
  }
  std::vector<std::string> ids(const Viewer& viewer, Visibility of, const std::string& hashtag = "",
                               std::int64_t before = 0, std::int64_t limit = 100) {
    std::vector<std::string> out;
    for (const auto& one : ownership_.list(viewer, of, hashtag, before, limit)) out.push_back(one.video.id);
    return out;
  }

  std::string location_ = GetParam().location();
  std::unique_ptr<Catalog> catalog_ = open(location_);
  std::shared_ptr<Connection> connection_ = connect(location_);
  Jobs jobs_{connection_};
  Ownership ownership_{connection_};
  Taggings taggings_{connection_};
  FeedbackLog feedback_{connection_};
  Tokens tokens_{connection_};
};

std::string sqlite_place() {
  static const TemporaryFolder folder;
  static int number = 0;
  return (folder.path() / (std::to_string(number++) + ".db")).string();
}

INSTANTIATE_TEST_SUITE_P(
    Databases, ServiceConformance,
    testing::Values(ServicePlace{"sqlite", sqlite_place},
                    ServicePlace{"postgres", [] { return postgres_server().url(postgres_server().make_database()); }}),
    [](const auto& parameter) { return parameter.param.name; });

TEST_P(ServiceConformance, JobsAreDoneInTheOrderOfTheirComing) {
  const auto first = upload("ann", "u1"), second = upload("bob", "u2");
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(first.state, JobState::queued);
  EXPECT_EQ(jobs_.ahead(second), 1);
  const auto claimed = jobs_.claim("w", "here", 60);
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->id, first.id);
  EXPECT_EQ(claimed->state, JobState::running);
  EXPECT_TRUE(jobs_.report(first.id, "w", "tag", 0.5, "", 60));
  EXPECT_EQ(jobs_.get(first.id)->stage, "tag");
  EXPECT_EQ(jobs_.claim("w", "here", 60)->id, second.id);
  EXPECT_FALSE(jobs_.claim("w", "here", 60));
  EXPECT_TRUE(jobs_.finish(first.id, "w", id_of(1)));
  EXPECT_FALSE(jobs_.finish(first.id, "w", id_of(2)));
  const auto done = jobs_.get(first.id);
  EXPECT_EQ(done->state, JobState::done);
  EXPECT_EQ(done->video, id_of(1));
  EXPECT_EQ(done->progress, 1.0);
  EXPECT_TRUE(jobs_.finish(second.id, "w", fail(Code::not_a_video, "no video")));
  EXPECT_EQ(jobs_.get(second.id)->error_code, "not_a_video");
  EXPECT_EQ(jobs_.get(second.id)->error_message, "no video");
  EXPECT_THAT(jobs_.counts(), UnorderedElementsAre(std::pair("done", 1), std::pair("failed", 1)));
}

TEST_P(ServiceConformance, OneUploadAndOneRequestKeyHaveOneJob) {
  const auto job = upload("ann", "u1");
  EXPECT_EQ(upload("ann", "u1").id, job.id);
  const Job wanted{.owner = "ann", .reference = "http://a/b.mp4", .request_key = "k", .request_digest = "d"};
  const auto once = jobs_.add(wanted);
  EXPECT_EQ(jobs_.add(wanted).id, once.id);
  Job other = wanted;
  other.request_digest = "another";
  EXPECT_EQ(jobs_.add(other).id, once.id);
  EXPECT_EQ(jobs_.add(other).request_digest, "d");
  other.owner = "bob";
  EXPECT_NE(jobs_.add(other).id, once.id);
  other.request_key = "";
  EXPECT_NE(jobs_.add(other).id, jobs_.add(other).id);
}

TEST_P(ServiceConformance, NoClientKeepsOthersWaiting) {
  const auto add = [&](const std::string& client, const std::string& reference = "http://a/b.mp4") {
    return jobs_.add({.owner = client, .reference = reference, .client = client});
  };
  const auto claim = [&](std::int64_t per_client) {
    const auto job = jobs_.claim("w", "here", 60, {.kind = JobChoice::Kind::reference, .per_client = per_client});
    return job ? job->client : std::string("none");
  };
  for (int i = 0; i < 20; ++i) add("flood");
  add("ann");
  add("bob");
  EXPECT_EQ(claim(3), "flood");  // the oldest
  EXPECT_EQ(claim(3), "ann");    // who has none running comes before who has one
  EXPECT_EQ(claim(3), "bob");
  EXPECT_EQ(claim(3), "flood");
  EXPECT_EQ(claim(3), "flood");
  EXPECT_EQ(claim(3), "none");  // three of the flood run
  EXPECT_EQ(claim(0), "flood");
}

TEST_P(ServiceConformance, WorkersTakeTheirKindOfJobs) {
  const auto sent = upload("ann", "u1");
  const auto named = jobs_.add({.owner = "ann", .reference = "http://a/b.mp4"});
  using Kind = JobChoice::Kind;
  EXPECT_EQ(jobs_.claim("w", "here", 60, {.kind = Kind::reference})->id, named.id);
  EXPECT_FALSE(jobs_.claim("w", "here", 60, {.kind = Kind::reference}));
  EXPECT_EQ(jobs_.claim("w", "here", 60, {.kind = Kind::upload})->id, sent.id);
}

TEST_P(ServiceConformance, OnlyTheNewestFinishedJobsOfAnOwnerAreKept) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(jobs_.add({.owner = "ann", .reference = "http://a/b.mp4"}).id);
  const auto other = jobs_.add({.owner = "bob", .reference = "http://a/b.mp4"});
  for (int i = 0; i < 6; ++i) jobs_.finish(jobs_.claim("w", "here", 60)->id, "w", fail(Code::timeout, "slow"));
  const auto waiting = jobs_.add({.owner = "ann", .reference = "http://a/b.mp4"});
  EXPECT_EQ(jobs_.prune_beyond("ann", 2), 3);
  EXPECT_FALSE(jobs_.get(ids[2]));
  EXPECT_TRUE(jobs_.get(ids[3]));
  EXPECT_TRUE(jobs_.get(waiting.id));
  EXPECT_TRUE(jobs_.get(other.id));
  EXPECT_EQ(jobs_.prune_beyond("ann", 2), 0);
  EXPECT_EQ(jobs_.prune_beyond("nobody", 2), 0);
  // Many names from one address share what it may keep, and what may wait.
  for (const char* name : {"c", "d", "e"})
    jobs_.add({.owner = name, .reference = "http://a/b.mp4", .client = "address"});
  EXPECT_EQ(jobs_.unfinished("c"), 1);
  EXPECT_EQ(jobs_.unfinished("c", "address"), 3);
  while (const auto job = jobs_.claim("w", "here", 60)) jobs_.finish(job->id, "w", fail(Code::timeout, "slow"));
  EXPECT_EQ(jobs_.prune_beyond("c", 2, "address", 2), 1);
}

TEST_P(ServiceConformance, AnUploadIsWorkedOnWhereItIs) {
  upload("ann", "u1");
  EXPECT_FALSE(jobs_.claim("w", "elsewhere", 60));
  const auto anywhere = jobs_.add({.owner = "ann", .reference = "http://a/b.mp4"});
  EXPECT_EQ(jobs_.claim("w", "elsewhere", 60)->id, anywhere.id);
  EXPECT_TRUE(jobs_.claim("w", "here", 60));
}

TEST_P(ServiceConformance, TheJobsOfADeadWorkerAreDoneByAnotherOne) {
  const auto job = upload("ann", "u1");
  for (int i = 0; i < Jobs::kAttempts; ++i) {
    ASSERT_TRUE(jobs_.claim("old", "here", 60)) << i;
    EXPECT_FALSE(jobs_.claim("new", "here", 60));
    EXPECT_EQ(jobs_.release("old"), 1);
  }
  EXPECT_FALSE(jobs_.claim("new", "here", 60));
  EXPECT_EQ(jobs_.get(job.id)->state, JobState::failed);
  const auto next = upload("ann", "u2");
  ASSERT_TRUE(jobs_.claim("old", "here", -1));  // its lease has expired
  ASSERT_TRUE(jobs_.claim("new", "here", 60));
  EXPECT_FALSE(jobs_.report(next.id, "old", "tag", 0.1, "", 60));
  EXPECT_FALSE(jobs_.finish(next.id, "old", id_of(1)));
  EXPECT_TRUE(jobs_.finish(next.id, "new", id_of(1)));
}

TEST_P(ServiceConformance, AJobThatKillsItsWorkersHoldsNobodyUp) {
  const auto deadly = upload("ann", "u1");
  const auto other = upload("bob", "u2");
  ASSERT_EQ(jobs_.claim("w", "here", 60)->id, deadly.id);
  jobs_.release("w");
  EXPECT_EQ(jobs_.claim("w", "here", 60)->id, other.id);
  EXPECT_EQ(jobs_.claim("w", "here", 60)->id, deadly.id);
}

TEST_P(ServiceConformance, AJobGivenBackHasNotBeenTried) {
  const auto job = upload("ann", "u1");
  for (int i = 0; i < 2 * Jobs::kAttempts; ++i) {
    ASSERT_TRUE(jobs_.claim("w", "here", 60));
    ASSERT_TRUE(jobs_.give_back(job.id, "w"));
  }
  EXPECT_EQ(jobs_.get(job.id)->attempts, 0);
}

TEST_P(ServiceConformance, AJobPutOffWaitsAndHoldsNobodyUp) {
  const auto job = upload("ann", "u1");
  const auto other = upload("bob", "u2");
  ASSERT_EQ(jobs_.claim("w", "here", 60)->id, job.id);
  EXPECT_FALSE(jobs_.defer(job.id, "somebody else", 60, "wait"));
  ASSERT_TRUE(jobs_.defer(job.id, "w", 60, "wait"));
  const auto waiting = jobs_.get(job.id);
  EXPECT_EQ(waiting->state, JobState::queued);
  EXPECT_EQ(waiting->stage, "wait");
  EXPECT_EQ(waiting->attempts, 0);
  EXPECT_EQ(jobs_.claim("w", "here", 60)->id, other.id);
  EXPECT_FALSE(jobs_.claim("w", "here", 60));
}

TEST_P(ServiceConformance, AJobPutOffIsTakenUpAgain) {
  const auto job = upload("ann", "u1");
  ASSERT_TRUE(jobs_.claim("w", "here", 60));
  ASSERT_TRUE(jobs_.defer(job.id, "w", 0, "wait"));
  const auto again = jobs_.claim("w", "here", 60);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->attempts, 1);
  EXPECT_TRUE(jobs_.finish(job.id, "w", id_of(1)));
}

TEST_P(ServiceConformance, ARemovedJobIsNobodysAnyMore) {
  const auto queued = upload("ann", "u1");
  EXPECT_TRUE(jobs_.remove(queued.id));
  EXPECT_FALSE(jobs_.remove(queued.id));
  EXPECT_FALSE(jobs_.claim("w", "here", 60));
  const auto running = upload("ann", "u2");
  jobs_.claim("w", "here", 60);
  EXPECT_EQ(jobs_.unfinished("ann"), 1);
  EXPECT_TRUE(jobs_.remove(running.id));
  EXPECT_FALSE(jobs_.report(running.id, "w", "tag", 0.1, "", 60));
  EXPECT_FALSE(jobs_.finish(running.id, "w", id_of(1)));
  EXPECT_FALSE(jobs_.get(running.id));
}

TEST_P(ServiceConformance, JobsAreListedInPagesAndPruned) {
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.push_back(upload(i % 2 == 0 ? "ann" : "bob", "u" + std::to_string(i)).id);
  const auto page = jobs_.list("ann", 0, 2);
  ASSERT_THAT(page, SizeIs(2));
  EXPECT_EQ(page[0].id, made[4]);
  const auto rest = jobs_.list("ann", page[1].number, 2);
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_EQ(rest[0].id, made[0]);
  EXPECT_THAT(jobs_.list("", 0, 100), SizeIs(5));
  jobs_.claim("w", "here", 60);
  jobs_.finish(made[0], "w", id_of(1));
  EXPECT_EQ(jobs_.prune(60), 0);
  EXPECT_EQ(jobs_.prune(-1), 1);
  EXPECT_FALSE(jobs_.get(made[0]));
}

TEST_P(ServiceConformance, WorkersNeverHaveTheSameJob) {
  constexpr int kJobs = 40;
  for (int i = 0; i < kJobs; ++i) upload("ann", "u" + std::to_string(i));
  std::vector<std::vector<std::string>> had(4);
  {
    std::vector<std::jthread> workers;
    for (std::size_t w = 0; w < had.size(); ++w) {
      workers.emplace_back([&, w] {
        Jobs own(connect(location_));
        const auto name = "w" + std::to_string(w);
        while (const auto job = own.claim(name, "here", 60)) {
          had[w].push_back(job->id);
          own.finish(job->id, name, id_of(1));
        }
      });
    }
  }
  std::vector<std::string> all;
  for (const auto& ids : had) all.insert(all.end(), ids.begin(), ids.end());
  EXPECT_THAT(all, SizeIs(kJobs));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_P(ServiceConformance, EachSeesItsOwnAndTheLibrary) {
  bring(1, "ann");
  bring(2, "bob");
  bring(3, "", "import");
  bring(1, "bob");  // both own it
  const Viewer ann{"ann"}, bob{"bob"}, stranger{"eve"}, boss{"boss", true};
  EXPECT_THAT(ids(ann, Visibility::all), ElementsAre(id_of(3), id_of(1)));
  EXPECT_THAT(ids(bob, Visibility::all), ElementsAre(id_of(3), id_of(2), id_of(1)));
  EXPECT_THAT(ids(ann, Visibility::mine), ElementsAre(id_of(1)));
  EXPECT_THAT(ids(ann, Visibility::library), ElementsAre(id_of(3)));
  EXPECT_THAT(ids(stranger, Visibility::all), ElementsAre(id_of(3)));
  EXPECT_THAT(ids(boss, Visibility::all), ElementsAre(id_of(3), id_of(2), id_of(1)));
  EXPECT_FALSE(ownership_.find(stranger, id_of(1)));
  EXPECT_FALSE(ownership_.find(ann, id_of(2)));
  const auto found = ownership_.find(ann, id_of(1));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->mine);
  EXPECT_EQ(found->name, "mine.mp4");
  EXPECT_FALSE(ownership_.find(boss, id_of(1))->mine);
  const auto page = ownership_.list(bob, Visibility::all, "", 0, 2);
  EXPECT_THAT(ids(bob, Visibility::all, "", page.back().number), ElementsAre(id_of(1)));
  EXPECT_THROW(ownership_.add_owner("ann", id_of(9), ""), Exception);
}

TEST_P(ServiceConformance, VideosAreFoundByAllTheirHashtags) {
  catalog_->videos.add(video_of(1, {"Cat"}));
  bring(2, "ann");
  bring(3, "", "import");
  const Viewer ann{"ann"};
  const std::vector<std::string> sure{"CAT", "dog"};
  taggings_.put(id_of(2), "m", R"({"tags":[]})", sure);
  feedback_.put(id_of(3), "ann", {"cat", FeedbackVerdict::add});
  EXPECT_THAT(ids(ann, Visibility::all, "cAt"), ElementsAre(id_of(3), id_of(2), id_of(1)));
  EXPECT_THAT(ids(ann, Visibility::mine, "dog"), ElementsAre(id_of(2)));
  EXPECT_THAT(ids({"bob"}, Visibility::all, "cat"), ElementsAre(id_of(1)));
  const std::vector<std::string> none;
  taggings_.put(id_of(2), "m2", "{}", none);
  EXPECT_THAT(ids(ann, Visibility::mine, "dog"), IsEmpty());
  EXPECT_EQ(taggings_.find(id_of(2))->model, "m2");
  EXPECT_FALSE(taggings_.find(id_of(1)));
  EXPECT_EQ(ownership_.find(ann, id_of(2))->tagging, "{}");
}

TEST_P(ServiceConformance, TheLastWordOnAHashtagCounts) {
  bring(1, "ann");
  feedback_.put(id_of(1), "ann", {"Cat", FeedbackVerdict::accept});
  feedback_.put(id_of(1), "ann", {"cat", FeedbackVerdict::reject});
  feedback_.put(id_of(1), "bob", {"cat", FeedbackVerdict::accept});
  const auto said = feedback_.list(id_of(1), "ann");
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].typed, "cat");
  EXPECT_EQ(said[0].verdict, FeedbackVerdict::reject);
  EXPECT_EQ(ownership_.count(), 1);
  EXPECT_EQ(feedback_.count(), 2);
  EXPECT_TRUE(feedback_.withdraw(id_of(1), "ann", "CAT"));
  EXPECT_FALSE(feedback_.withdraw(id_of(1), "ann", "cat"));
  EXPECT_THAT(feedback_.list(id_of(1), "bob"), SizeIs(1));
  EXPECT_THROW(feedback_.put(id_of(9), "ann", {"cat", FeedbackVerdict::accept}), Exception);
  EXPECT_THROW(feedback_.put(id_of(1), "ann", {"", FeedbackVerdict::accept}), Exception);
}

TEST_P(ServiceConformance, AVideoGoesWithTheLastWhoBroughtIt) {
  bring(1, "ann");
  bring(1, "bob");
  bring(2, "ann", "import");
  EXPECT_FALSE(ownership_.remove_owner({"ann"}, id_of(1)));
  EXPECT_THAT(ids({"ann"}, Visibility::mine), ElementsAre(id_of(2)));
  EXPECT_TRUE(ownership_.find({"bob"}, id_of(1)));
  EXPECT_TRUE(ownership_.remove_owner({"bob"}, id_of(1)));
  EXPECT_FALSE(catalog_->videos.get(id_of(1)));
  EXPECT_THAT(ownership_.orphaned_blobs(), ElementsAre(std::pair(id_of(1), "videos/" + id_of(1) + ".mp4")));
  bring(1, "ann");  // added again before its bytes were deleted
  EXPECT_THAT(ownership_.orphaned_blobs(), IsEmpty());
  EXPECT_FALSE(ownership_.remove_owner({"ann"}, id_of(2)));  // part of the library
  EXPECT_TRUE(catalog_->videos.get(id_of(2)));
  EXPECT_TRUE(ownership_.remove_owner({"boss", true}, id_of(2)));
  EXPECT_FALSE(catalog_->videos.get(id_of(2)));
  ownership_.forget_orphaned_blob(id_of(2));
  EXPECT_THAT(ownership_.orphaned_blobs(), IsEmpty());
}

TEST_P(ServiceConformance, WhatIsForgottenLeavesNothingHere) {
  bring(1, "ann");
  const std::vector<std::string> sure{"cat"};
  taggings_.put(id_of(1), "m", "{}", sure);
  feedback_.put(id_of(1), "ann", {"cat", FeedbackVerdict::accept});
  const auto job = upload("ann", "u1");
  jobs_.claim("w", "here", 60);
  jobs_.finish(job.id, "w", id_of(1));
  catalog_->tombstones.forget(Forgettable::video, id_of(1));
  EXPECT_FALSE(jobs_.get(job.id));
  EXPECT_FALSE(taggings_.find(id_of(1)));
  EXPECT_THAT(feedback_.list(id_of(1), "ann"), IsEmpty());
  EXPECT_THAT(ids({"ann", true}, Visibility::all), IsEmpty());
}

TEST_P(ServiceConformance, ATokenOpensUntilItIsRevoked) {
  const std::vector<std::string> scopes{"read", "write"}, wrong{"everything"}, none;
  const auto [token, text] = tokens_.make("laptop", scopes);
  EXPECT_TRUE(text.starts_with("reeltag_"));
  EXPECT_GE(text.size(), 48U);
  const auto found = tokens_.find(text);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, token.id);
  EXPECT_EQ(found->scopes, scopes);
  EXPECT_FALSE(tokens_.find(text + "x"));
  EXPECT_FALSE(tokens_.find(""));
  EXPECT_GT(tokens_.list().at(0).used, 0);
  EXPECT_EQ(error_of([&] { tokens_.make("laptop", scopes); }).code, Code::already_exists);
  EXPECT_EQ(error_of([&] { tokens_.make("b", wrong); }).code, Code::invalid_argument);
  EXPECT_EQ(error_of([&] { tokens_.make("b", none); }).code, Code::invalid_argument);
  EXPECT_TRUE(tokens_.revoke("laptop"));
  EXPECT_FALSE(tokens_.revoke("laptop"));
  EXPECT_FALSE(tokens_.find(text));
}

TEST(TokensOnDisk, AreHashes) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "c.db";
  const std::vector<std::string> scopes{"read"};
  std::string text;
  {
    Tokens tokens(connect(file.string()));
    text = tokens.make("t", scopes).second;
  }
  EXPECT_EQ(value_or_throw(read_file(file, 1 << 20)).find(text.substr(8)), std::string::npos);
}

}  // namespace
}  // namespace reeltag::catalog
