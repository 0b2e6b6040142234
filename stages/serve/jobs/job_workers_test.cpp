// Tests the workers alone: a real catalog, store and index, and a scripted model.
#include "jobs/job_workers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include <nlohmann/json.hpp>

#include "home_lock.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::serve {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto kPatience = 20s;  // far more than any job here needs

// Returns one tag, waits for its stop, or fails.
class FakeModel final : public tag::Model {
 public:
  const std::string& name() const override { return name_; }
  const std::filesystem::path& folder() const override { return folder_; }
  const std::vector<std::string>& vocabulary() const override { return vocabulary_; }
  Result<tag::TagResult> tag(media::Decoder& video, const std::string& name, const tag::TagRequest& request) override {
    ++calls;
    deadline_given = request.deadline.has_value();
    while (blocked && !request.stop.stop_requested()) std::this_thread::sleep_for(5ms);
    if (request.stop.stop_requested()) return fail(Code::interrupted, name + ": stopped");
    if (failing) return fail(Code::decode_failed, name + ": breaks off");
    if (request.progress) request.progress(0.5);
    return tag::TagResult{.video = name,
                          .model = name_,
                          .duration = video.probe().duration,
                          .tags = {{.hashtag = "cat", .score = 0.9, .segments = {{0.0, 1.0}}, .threshold = 0.5},
                                   {.hashtag = "dog", .score = 0.2, .segments = {}, .threshold = 0.5}}};
  }

  std::atomic<int> calls = 0;
  std::atomic<bool> blocked = false, failing = false, deadline_given = false;

 private:
  std::string name_ = "fake";
  std::filesystem::path folder_;
  std::vector<std::string> vocabulary_{"cat", "dog"};
};

std::string clip_bytes(std::uint8_t shade, int frames = 4) {
  const TemporaryFolder folder("job-workers-clip");
  media::Frames out{.count = frames, .height = 32, .width = 32, .data = {}, .times = {}};
  for (int i = 0; i < frames; ++i) out.times.push_back(0.25 * i);
  out.data.resize(out.frame_bytes() * static_cast<std::size_t>(frames), shade);
  value_or_throw(media::encode_mp4(out, 4, folder.path() / "clip.mp4"));
  return value_or_throw(read_file(folder.path() / "clip.mp4", 1 << 20));
}

class JobWorkersTest : public testing::Test {
 protected:
  JobWorkersTest() {
    std::filesystem::create_directories(home() / "model");
    write_file(home() / "model" / "bundle.json", "{}");
    config_.upload.min_free_bytes = 0;
    state_ = std::make_unique<ServerState>(
        config_, dependencies_, lock_.node_id(), AccessRules{.open = true, .loopback = true},
        catalog::connect(dependencies_.catalog), catalog::connect(dependencies_.catalog));
    state_->model_slot.follow();
  }

  [[nodiscard]] const std::filesystem::path& home() const { return folder_.path(); }

  catalog::Job add(const std::string& reference, const std::string& owner = "ann", double deadline = 0) {
    return state_->working_jobs.add({.owner = owner, .name = "mine.mp4", .reference = reference, .deadline = deadline});
  }
  catalog::Job get(const std::string& id) { return state_->working_jobs.get(id).value(); }
  // Waits until the job is in this state; fails the test after kPatience.
  catalog::Job wait_for(const std::string& id, catalog::JobState wanted) {
    for (const auto end = std::chrono::steady_clock::now() + kPatience; std::chrono::steady_clock::now() < end;) {
      if (auto job = state_->working_jobs.get(id); job && job->state == wanted) return *job;
      std::this_thread::sleep_for(10ms);
    }
    ADD_FAILURE() << id << " is " << catalog::state_name(get(id).state) << ": " << get(id).error_message;
    return get(id);
  }

  TemporaryFolder folder_;
  std::shared_ptr<FakeModel> model_ = std::make_shared<FakeModel>();
  std::map<std::string, std::string> web_{{"https://site/cat.mp4", clip_bytes(99)}};  // URLs that can be fetched
  std::atomic<bool> store_away_ = false;
  ServeConfig config_ = {};
  std::unique_ptr<store::Store> store_ = store::open((folder_.path() / "store").string());
  std::unique_ptr<index::Index> index_ = index::open((folder_.path() / "index.db").string(), index::Missing::create);
  Dependencies dependencies_{.home = folder_.path(),
                             .catalog = (folder_.path() / "catalog.db").string(),
                             .store = *store_,
                             .index = *index_,
                             .limits = {.isolate = "never"},
                             .places = {.home = folder_.path(), .shipped = folder_.path()},
                             .model = (folder_.path() / "model").string(),
                             .fetch = [this](const std::string& reference, auto) -> Result<Descriptor> {
                               if (store_away_) throw Exception(Code::unavailable, "the store does not answer");
                               const auto at = web_.find(reference);
                               if (at == web_.end()) return fail(Code::not_found, reference + " is not there");
                               auto file = open_unnamed_file(folder_.path());
                               if (::write(file.get(), at->second.data(), at->second.size()) < 0) ADD_FAILURE();
                               return file;
                             },
                             .load = [this](const std::filesystem::path&) { return model_; }};
  HomeLock lock_{folder_.path()};
  std::unique_ptr<ServerState> state_;
};

TEST_F(JobWorkersTest, TurnAReferenceIntoAVideoWithTagsThatIsFound) {
  JobWorkers workers(*state_, 2, 2);
  const auto job = add("https://site/cat.mp4");
  workers.wake();
  const auto done = wait_for(job.id, catalog::JobState::done);
  const auto video = state_->catalog->videos.get(done.video).value();
  EXPECT_EQ(video.source, catalog::kUploadSource);
  EXPECT_EQ(video.group, "ann");
  EXPECT_TRUE(store_->stat(video.key));
  EXPECT_EQ(state_->ownership.find({"ann"}, done.video)->name, "mine.mp4");
  EXPECT_FALSE(state_->ownership.find({"bob"}, done.video));
  const auto result = nlohmann::json::parse(state_->working_taggings.find(done.video)->result);
  EXPECT_EQ(result["tags"].size(), 2U);  // all, so that other thresholds can be applied
  std::vector<std::string> found;
  for (const auto& hit : index_->search("#cat", 10)) found.push_back(hit.video);
  EXPECT_THAT(found, ElementsAre(done.video));
  EXPECT_TRUE(index_->search("#dog", 10).empty());  // below its threshold
}

TEST_F(JobWorkersTest, AskTheModelOnceForTheSameBytes) {
  JobWorkers workers(*state_, 1, 2);
  const auto first = add("https://site/cat.mp4", "ann");
  workers.wake();
  const auto video = wait_for(first.id, catalog::JobState::done).video;
  const auto second = add("https://site/cat.mp4", "bob");
  workers.wake();
  EXPECT_EQ(wait_for(second.id, catalog::JobState::done).video, video);
  EXPECT_EQ(model_->calls, 1);
  EXPECT_TRUE(state_->ownership.find({"bob"}, video));
}

TEST_F(JobWorkersTest, SayWhatIsWrongWithAVideoInTheOwnersWords) {
  web_["https://site/text.mp4"] = "no video at all";
  JobWorkers workers(*state_, 2, 2);
  const auto missing = add("https://site/nothing.mp4"), text = add("https://site/text.mp4");
  workers.wake();
  EXPECT_EQ(wait_for(missing.id, catalog::JobState::failed).error_code, "not_found");
  const auto bad = wait_for(text.id, catalog::JobState::failed);
  EXPECT_EQ(bad.error_code, "not_a_video");
  EXPECT_THAT(bad.error_message, HasSubstr("mine.mp4"));
  EXPECT_THAT(bad.error_message, Not(HasSubstr("/proc/")));  // no server path either
  model_->failing = true;
  const auto breaks = add("https://site/cat.mp4");
  workers.wake();
  EXPECT_EQ(wait_for(breaks.id, catalog::JobState::failed).error_code, "decode_failed");
}

TEST_F(JobWorkersTest, PutAJobBackWhenTheyEnd) {
  model_->blocked = true;
  const auto job = add("https://site/cat.mp4");
  {
    JobWorkers workers(*state_, 1, 2);
    workers.wake();
    wait_for(job.id, catalog::JobState::running);
    for (int i = 0; i < 1000 && model_->calls == 0; ++i) std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(get(job.id).state, catalog::JobState::queued);
  EXPECT_EQ(get(job.id).attempts, 0);  // the attempt does not count
  model_->blocked = false;
  JobWorkers next(*state_, 1, 2);
  wait_for(job.id, catalog::JobState::done);
}

TEST_F(JobWorkersTest, StopWhenTheJobIsRemoved) {
  model_->blocked = true;
  JobWorkers workers(*state_, 1, 2);
  const auto job = add("https://site/cat.mp4");
  workers.wake();
  wait_for(job.id, catalog::JobState::running);
  ASSERT_TRUE(state_->working_jobs.remove(job.id));
  web_["https://site/dog.mp4"] = clip_bytes(10);
  const auto next = add("https://site/dog.mp4");
  for (int i = 0; i < 1000 && model_->calls < 2; ++i) std::this_thread::sleep_for(10ms);
  model_->blocked = false;
  wait_for(next.id, catalog::JobState::done);  // the only worker was free again
  EXPECT_FALSE(state_->working_jobs.get(job.id));
}

TEST_F(JobWorkersTest, WaitForAMemoryThatIsAway) {
  store_away_ = true;
  JobWorkers workers(*state_, 1, 2);
  const auto job = add("https://site/cat.mp4");
  workers.wake();
  for (int i = 0; i < 1000 && get(job.id).stage != "wait"; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(get(job.id).state, catalog::JobState::queued);
  store_away_ = false;
  EXPECT_EQ(wait_for(job.id, catalog::JobState::done).error_code, "");
}

TEST_F(JobWorkersTest, PassTheDeadlineOn) {
  JobWorkers workers(*state_, 1, 2);
  const auto without = add("https://site/cat.mp4");
  workers.wake();
  wait_for(without.id, catalog::JobState::done);
  EXPECT_FALSE(model_->deadline_given);
  web_["https://site/other.mp4"] = clip_bytes(42);
  const auto with = add("https://site/other.mp4", "ann", 5.0);
  workers.wake();
  wait_for(with.id, catalog::JobState::done);
  EXPECT_TRUE(model_->deadline_given);
}

TEST_F(JobWorkersTest, RefuseAForgottenVideo) {
  JobWorkers workers(*state_, 1, 2);
  const auto first = add("https://site/cat.mp4");
  workers.wake();
  const auto video = wait_for(first.id, catalog::JobState::done).video;
  state_->catalog->tombstones.forget(catalog::Forgettable::video, video);
  const auto again = add("https://site/cat.mp4");
  workers.wake();
  EXPECT_EQ(wait_for(again.id, catalog::JobState::failed).error_code, "permission_denied");
}

}  // namespace
}  // namespace reeltag::serve
