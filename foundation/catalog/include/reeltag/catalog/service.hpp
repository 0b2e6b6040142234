// What a server remembers beside the catalog, in the same database: jobs, who brought which video, what models found
// and people said, tokens. Jobs, Ownership, Taggings, FeedbackLog, Tokens: thread-safe, each call one transaction, as
// in catalog.hpp; several servers may share a database. Failures throw Exception as the catalog does.
//
//   const auto connection = catalog::connect(location);
//   catalog::Jobs jobs(connection);
//   while (auto job = jobs.claim("worker", place, 60)) jobs.finish(job->id, "worker", work(*job));
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reeltag/catalog.hpp"

namespace reeltag::catalog {

// One connection to the database, with its lock. Shared by what is made from it.
class Connection;
std::shared_ptr<Connection> connect(const std::string& location, const Options& options = {});

enum class JobState { queued, running, done, failed };
std::string_view state_name(JobState state) noexcept;

struct Job {
  std::int64_t number = 0;  // ascending in the order of acceptance
  std::string id = {};      // [0-9a-f]{32}
  std::string owner = {};
  JobState state = JobState::queued;
  std::int64_t created = 0, updated = 0;  // seconds since 1970, UTC
  std::string name = {};                  // of the file, as its owner calls it
  std::string upload = {}, node_id = {};  // the upload, and the folder that has it; or
  std::string reference = {};             // a URL
  std::string request_key = {};           // Idempotency-Key; empty: none
  double deadline = 0.0;                  // seconds from acceptance; 0: none
  std::string stage = {};
  double progress = 0.0;   // in [0,1]
  std::string video = {};  // as soon as it is known
  std::string error_code = {}, error_message = {};
  std::int64_t attempts = 0;
};

class Jobs {
 public:
  // A job that is given up this many times by workers that died is failed. Many, because a server also dies for reasons
  // that are not the job's; those that were given up less often come first, so it holds nobody up.
  static constexpr std::int64_t kAttempts = 10;

  explicit Jobs(std::shared_ptr<Connection> connection);

  // Reads owner, name, upload, place, reference, request_key, deadline. Where the upload, or the owner's request_key,
  // has a job already, that one comes back.
  Job add(const Job& wanted);
  std::optional<Job> get(std::string_view id);
  // Newest first; before: only those with a smaller number, 0 for all; owner: empty for everybody's.
  std::vector<Job> list(std::string_view owner, std::int64_t before, std::int64_t limit);
  std::int64_t ahead(const Job& job);  // queued ones before it
  std::int64_t unfinished(std::string_view owner);
  std::vector<std::pair<std::string, std::int64_t>> counts();  // by state

  // A queued job that needs no place or this one, for `lease` seconds: of those that were given up least often the
  // oldest. Jobs whose lease has run out are queued again before.
  std::optional<Job> claim(std::string_view worker, std::string_view node_id, std::int64_t lease);
  // How far it is, and a new lease. False: it is not the worker's any more (removed, or its lease had run out).
  bool report(std::string_view id, std::string_view worker, std::string_view stage, double progress,
              std::string_view video, std::int64_t lease);
  // False: as above, and nothing changed.
  bool finish(std::string_view id, std::string_view worker, const Result<std::string>& video);
  // Puts the jobs that the worker had when it died back into the queue; at its start.
  std::int64_t release(std::string_view worker);
  // The same for one job, which then does not count as given up: the worker ends.
  bool give_back(std::string_view id, std::string_view worker);
  // As give_back, but nobody takes it up for so many seconds: something that it needs is not there.
  bool defer(std::string_view id, std::string_view worker, std::int64_t seconds, std::string_view stage);
  // Also one that is being worked on; its worker hears of it. False: there is none.
  bool remove(std::string_view id);
  // Deletes finished ones that have not changed for so long. Returns the uploads of those.
  std::int64_t prune(std::int64_t seconds);

 private:
  std::shared_ptr<Connection> connection_;
};

// Who asks: an owner, or somebody who may see all.
struct Viewer {
  std::string owner = {};
  bool all = false;
};

enum class Visibility { mine, library, all };

// A video as a viewer sees it.
struct VideoView {
  std::int64_t number = 0;  // ascending in the order of coming
  Video video = {};
  bool mine = false;
  std::string name = {};     // of the file, when it is the viewer's
  std::string tagging = {};  // JSON; empty: not tagged yet
};

enum class FeedbackVerdict { accept, reject, add };
std::string_view verdict_name(FeedbackVerdict verdict) noexcept;
std::optional<FeedbackVerdict> verdict_from(std::string_view name) noexcept;

struct Feedback {
  std::string typed = {};
  FeedbackVerdict verdict = FeedbackVerdict::accept;
};

// A source of this name is somebody's upload, not part of the library that all may see.
inline constexpr std::string_view kUploadSource = "upload";

// Who brought which video, what each viewer sees of the videos, and what is to be deleted of removed ones.
class Ownership {
 public:
  explicit Ownership(std::shared_ptr<Connection> connection);

  // The video must be in the catalog.
  void add_owner(std::string_view owner, std::string_view video, std::string_view name);
  std::optional<VideoView> find(const Viewer& viewer, std::string_view video);
  // Newest first; hashtag: typed, predicted or accepted, in any spelling; empty: any.
  std::vector<VideoView> list(const Viewer& viewer, Visibility of, std::string_view hashtag, std::int64_t before,
                              std::int64_t limit);

  // What live collection has brought; journal: the note of its newest round, JSON (stages/collect/crawl/journal.hpp).
  struct Collection {
    std::string source = {}, hashtag = {}, journal = {};
    std::int64_t videos = 0;
  };
  std::vector<Collection> collections();

  // Removes the viewer as owner, with the feedback and the ended jobs of that viewer; removes the video itself when
  // nobody owns it and it is not part of the library, or when the viewer may see all. The bytes of a removed video
  // become an orphaned blob. Returns whether the video was removed.
  bool remove_owner(const Viewer& viewer, std::string_view video);
  // Ids and store keys of removed videos whose bytes are still to be deleted, without those that were added again.
  std::vector<std::pair<std::string, std::string>> orphaned_blobs();
  void forget_orphaned_blob(std::string_view video);

  std::int64_t count();  // of all owners; a catalog's files (exchange.hpp) do not hold them

 private:
  std::shared_ptr<Connection> connection_;
};

struct Tagging {
  std::string model, result;  // result: JSON
};

// The newest result of a model for each video.
class Taggings {
 public:
  explicit Taggings(std::shared_ptr<Connection> connection);

  // Replaces the one before. sure: the hashtags by which the video is found. The video must be in the catalog.
  void put(std::string_view video, std::string_view model, std::string_view result, std::span<const std::string> sure);
  std::optional<Tagging> find(std::string_view video);

 private:
  std::shared_ptr<Connection> connection_;
};

// What people say about hashtags of videos.
class FeedbackLog {
 public:
  explicit FeedbackLog(std::shared_ptr<Connection> connection);

  // Replaces what the owner said of the hashtag before. The video must be in the catalog.
  void put(std::string_view video, std::string_view owner, const Feedback& feedback);
  // Returns whether there was any.
  bool withdraw(std::string_view video, std::string_view owner, std::string_view hashtag);
  std::vector<Feedback> list(std::string_view video, std::string_view owner);

  std::int64_t count();  // of all owners; a catalog's files (exchange.hpp) do not hold it

 private:
  std::shared_ptr<Connection> connection_;
};

struct Token {
  std::string id = {}, name = {};
  std::vector<std::string> scopes = {};  // read, write, operator
  std::int64_t created = 0, used = 0;
};

class Tokens {
 public:
  explicit Tokens(std::shared_ptr<Connection> connection);
  // The text that opens the door; it cannot be had again. Throws already_exists for a name that is taken,
  // invalid_argument for scopes that there are not.
  std::pair<Token, std::string> make(std::string_view name, std::span<const std::string> scopes);
  // Remembers, to the hour, that it was used.
  std::optional<Token> find(std::string_view text);
  std::vector<Token> list();
  bool revoke(std::string_view name);

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace reeltag::catalog
