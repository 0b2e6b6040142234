// The server's tables in the catalog's database: jobs, owners of videos, model results, feedback, tokens. Jobs,
// Ownership, Taggings, FeedbackLog, Tokens: thread-safe, each call one transaction, as in catalog.hpp; they share
// ownership of the connection, and several servers may share a database. Failures throw Exception as the catalog does.
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

#include "reeltag/base/error.hpp"
#include "reeltag/catalog/connection.hpp"
#include "reeltag/catalog/rows.hpp"

namespace reeltag::catalog {

enum class JobState { queued, running, done, failed };
std::string_view state_name(JobState state) noexcept;

struct Job {
  std::int64_t number = 0;  // ascending in the order of acceptance
  std::string id = {};      // [0-9a-f]{32}
  std::string owner = {};
  JobState state = JobState::queued;
  std::int64_t created = 0, updated = 0;  // seconds since 1970, UTC
  std::string name = {};                  // the file's name, given by its owner
  std::string upload = {}, node_id = {};  // the upload, and the node that stores it; or
  std::string reference = {};             // a URL
  std::string request_key = {};           // Idempotency-Key; empty: none
  double deadline = 0.0;                  // seconds from acceptance; 0: none
  std::string stage = {};
  double progress = 0.0;   // in [0,1]
  std::string video = {};  // set once it is known
  std::string error_code = {}, error_message = {};
  std::int64_t attempts = 0;
  std::string request_digest = {};  // of what was asked with request_key; empty: none
  std::string client = {};          // who waits for it: the address of a visitor, or the owner
};

// Which jobs a worker takes.
struct JobChoice {
  enum class Kind { any = 0, upload = 1, reference = 2 };
  Kind kind = Kind::any;
  std::int64_t per_client = 0;  // running jobs of this kind for one client; more wait. 0: any number
};

class Jobs {
 public:
  // A job is failed after this many workers died while it ran. The limit is high because a server may die for reasons
  // unrelated to the job; jobs with fewer such failures run first, so it does not delay others.
  static constexpr std::int64_t kAttempts = 10;

  explicit Jobs(std::shared_ptr<Connection> connection);

  // Uses owner, name, upload, node_id, reference, request_key, request_digest, client, deadline. If the
  // upload, or the owner's
  // request_key, already has a job, returns that one; its request_digest tells whether the same was asked.
  Job add(const Job& wanted);
  std::optional<Job> get(std::string_view id);
  // Newest first. before: only jobs with a smaller number, 0 for all; owner: empty for all owners.
  std::vector<Job> list(std::string_view owner, std::int64_t before, std::int64_t limit);
  std::int64_t ahead(const Job& job);                                             // counts queued jobs before it
  std::int64_t unfinished(std::string_view owner, std::string_view client = {});  // of the owner or the client
  std::vector<std::pair<std::string, std::int64_t>> counts();                     // by state

  // Claims a queued job that needs no node or this one, for `lease` seconds: of those whose workers died least often,
  // the oldest of the client with the fewest running jobs, so that who has two hundred waiting delays nobody else.
  // First queues jobs with an expired lease again.
  std::optional<Job> claim(std::string_view worker, std::string_view node_id, std::int64_t lease,
                           const JobChoice& choice = {});
  // Stores the progress and renews the lease. False if the worker no longer holds the job (removed, or lease expired).
  bool report(std::string_view id, std::string_view worker, std::string_view stage, double progress,
              std::string_view video, std::int64_t lease);
  // False: as for report(), and nothing changed.
  bool finish(std::string_view id, std::string_view worker, const Result<std::string>& video);
  // Queues the jobs that the worker held when it died; call it when the worker starts.
  std::int64_t release(std::string_view worker);
  // Queues one job again without counting a failure: the worker shuts down.
  bool give_back(std::string_view id, std::string_view worker);
  // As give_back, but no worker may claim it for that many seconds: something that it needs is not available.
  bool defer(std::string_view id, std::string_view worker, std::int64_t seconds, std::string_view stage);
  // Removes a job, even a running one; its worker learns of it from report(). False if there is none.
  bool remove(std::string_view id);
  // Deletes an owner's finished jobs except the newest `most`, and likewise those of a client. Returns how many.
  std::int64_t prune_beyond(std::string_view owner, std::int64_t most, std::string_view client = {},
                            std::int64_t most_of_client = 0);
  // Deletes finished jobs that have not changed for that long. Returns how many.
  std::int64_t prune(std::int64_t seconds);

 private:
  std::shared_ptr<Connection> connection_;
};

// The principal of a request: an owner, or one who may see everything.
struct Viewer {
  std::string owner = {};
  bool all = false;
};

enum class Visibility { mine, library, all };

// A video as shown to a viewer.
struct VideoView {
  std::int64_t number = 0;  // ascending in the order of adding
  Video video = {};
  bool mine = false;
  std::string name = {};     // of the file, if the viewer owns it
  std::string tagging = {};  // JSON; empty: not tagged yet
};

enum class FeedbackVerdict { accept, reject, add };
std::string_view verdict_name(FeedbackVerdict verdict) noexcept;
std::optional<FeedbackVerdict> verdict_from(std::string_view name) noexcept;

struct Feedback {
  std::string typed = {};
  FeedbackVerdict verdict = FeedbackVerdict::accept;
};

// Marks a user's upload, which is not part of the library that everybody may see.
inline constexpr std::string_view kUploadSource = "upload";

struct StoredVideos {
  std::int64_t videos = 0, bytes = 0;
};

// Records who owns which video, shows viewers the videos that they may see, and lists orphaned blobs to delete.
class Ownership {
 public:
  explicit Ownership(std::shared_ptr<Connection> connection);

  // The video must be in the catalog. client: from where it came, as in Job.
  void add_owner(std::string_view owner, std::string_view video, std::string_view name, std::string_view client = {});
  // The videos that belong to this owner or came from this client.
  StoredVideos usage(std::string_view owner, std::string_view client);
  std::optional<VideoView> find(const Viewer& viewer, std::string_view video);
  // Newest first. hashtag: typed, predicted or accepted, in any spelling; empty: any.
  std::vector<VideoView> list(const Viewer& viewer, Visibility of, std::string_view hashtag, std::int64_t before,
                              std::int64_t limit);

  // Removes the viewer as owner, with that viewer's feedback and finished jobs. Removes the video itself if nobody owns
  // it and it is not part of the library, or if the viewer may see everything. The bytes of a removed video become an
  // orphaned blob. Returns whether the video was removed.
  bool remove_owner(const Viewer& viewer, std::string_view video);
  // Ids and store keys of removed videos whose bytes must still be deleted, except those that were added again.
  std::vector<std::pair<std::string, std::string>> orphaned_blobs();
  void forget_orphaned_blob(std::string_view video);

  std::int64_t count();  // of all owners; exported catalogs (exchange.hpp) do not include them

 private:
  std::shared_ptr<Connection> connection_;
};

struct Tagging {
  std::string model, result;  // result: JSON
};

// The latest result of a model for each video.
class Taggings {
 public:
  explicit Taggings(std::shared_ptr<Connection> connection);

  // Replaces the previous result. sure: the hashtags by which search finds the video. The video must be in the catalog.
  void put(std::string_view video, std::string_view model, std::string_view result, std::span<const std::string> sure);
  std::optional<Tagging> find(std::string_view video);

 private:
  std::shared_ptr<Connection> connection_;
};

// Users' feedback on the hashtags of videos.
class FeedbackLog {
 public:
  explicit FeedbackLog(std::shared_ptr<Connection> connection);

  // Replaces the owner's previous feedback on the hashtag. The video must be in the catalog.
  void put(std::string_view video, std::string_view owner, const Feedback& feedback);
  // Returns whether there was any feedback to remove.
  bool withdraw(std::string_view video, std::string_view owner, std::string_view hashtag);
  std::vector<Feedback> list(std::string_view video, std::string_view owner);

  std::int64_t count();  // of all owners; exported catalogs (exchange.hpp) do not include it

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
  // Returns the token's text, which cannot be retrieved later. Throws already_exists for a name in use,
  // invalid_argument for unknown scopes.
  std::pair<Token, std::string> make(std::string_view name, std::span<const std::string> scopes);
  // Finds a token by its text and records the time of use, to the hour.
  std::optional<Token> find(std::string_view text);
  std::vector<Token> list();
  bool revoke(std::string_view name);

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace reeltag::catalog
