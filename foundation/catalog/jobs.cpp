// The queue of a server's jobs.
#include <algorithm>
#include <array>

#include "check_video.hpp"
#include "connection.hpp"
#include "reeltag/base/random.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/catalog/service.hpp"

namespace reeltag::catalog {
namespace {

constexpr std::array<std::string_view, 4> kStates{"queued", "running", "done", "failed"};

const std::string kJobColumns =
    "row_no, id, owner, state, created, updated, name, upload, place, reference, request_key, deadline, stage, "
    "progress, video, error_code, error_message, attempts, request_digest, client ";
const std::string kSelect = "SELECT " + kJobColumns + "FROM job ";
const std::string kGet = kSelect + "WHERE id = $1";
const std::string kOfUpload = kSelect + "WHERE upload = $1 AND upload <> ''";
const std::string kOfRequest = kSelect + "WHERE owner = $1 AND request_key = $2 AND request_key <> ''";
const std::string kListJobs = kSelect + "WHERE row_no < $1 ORDER BY row_no DESC LIMIT $2";
const std::string kListOf = kSelect + "WHERE owner = $1 AND row_no < $2 ORDER BY row_no DESC LIMIT $3";
const std::string kAdd =
    "INSERT INTO job (id, owner, state, created, updated, name, upload, place, reference, request_key, deadline, "
    "request_digest, client, stage, progress, video, error_code, error_message, attempts, worker, lease) "
    "VALUES ($1, $2, 'queued', $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 0.0, '', '', '', 0, '', 0)";
const std::string kAhead = "SELECT COUNT(*) FROM job WHERE state = 'queued' AND row_no < $1";
const std::string kUnfinished =
    "SELECT COUNT(*) FROM job WHERE (owner = $1 OR (client = $2 AND client <> '')) AND state IN ('queued', 'running')";
const std::string kCounts = "SELECT state, COUNT(*) FROM job GROUP BY state ORDER BY state";

const std::string kFailLost =
    "UPDATE job SET state = 'failed', worker = '', updated = $1, error_code = 'internal', error_message = $2 "
    "WHERE state = 'running' AND lease < $1 AND attempts >= $3";
const std::string kRequeueLost =
    "UPDATE job SET state = 'queued', worker = '', lease = 0, stage = '', progress = 0.0, updated = $1 "
    "WHERE state = 'running' AND lease < $1";
// Running jobs of the same kind, with or without a reference, for the client of the job q.
const std::string kRunningOfClient =
    "(SELECT COUNT(*) FROM job r WHERE r.client = q.client AND r.state = 'running' AND "
    "(r.reference <> '') = (q.reference <> ''))";
// $5: 0 any kind, 1 uploads, 2 references; $6: running jobs of one client at most. Those with fewest running come
// first.
const std::string kClaim =
    "UPDATE job SET state = 'running', worker = $1, lease = $2, updated = $3, attempts = attempts + 1 "
    "WHERE row_no = (SELECT q.row_no FROM job q WHERE q.state = 'queued' AND q.lease <= $3 AND "
    "(q.place = '' OR q.place = $4) AND ($5 = 0 OR ($5 = 2) = (q.reference <> '')) AND " +
    kRunningOfClient + " < $6 ORDER BY q.attempts, " + kRunningOfClient + ", q.row_no LIMIT 1) RETURNING " +
    kJobColumns;
const std::string kReport =
    "UPDATE job SET stage = $1, progress = $2, video = $3, lease = $4, updated = $5 "
    "WHERE id = $6 AND worker = $7 AND state = 'running' RETURNING id";
const std::string kFinish =
    "UPDATE job SET state = $1, video = CASE WHEN $2 = '' THEN video ELSE $2 END, error_code = $3, "
    "error_message = $4, progress = CASE WHEN $1 = 'done' THEN 1.0 ELSE progress END, worker = '', updated = $5 "
    "WHERE id = $6 AND worker = $7 AND state = 'running' RETURNING id";
// Ends the leases of a dead worker at once.
const std::string kRelease = "UPDATE job SET lease = 0 WHERE worker = $1 AND state = 'running' RETURNING id";
// No worker claims a queued job until its lease expires.
const std::string kPutOff =
    "UPDATE job SET state = 'queued', worker = '', lease = $1, stage = $2, progress = 0.0, attempts = attempts - 1, "
    "updated = $3 WHERE id = $4 AND worker = $5 AND state = 'running' RETURNING id";
const std::string kRemove = "DELETE FROM job WHERE id = $1 RETURNING id";
// Of an owner, and of a client.
std::string prune_beyond_by(const std::string& column) {
  const std::string finished = column + " = $1 AND state IN ('done', 'failed')";
  return "DELETE FROM job WHERE " + finished + " AND row_no < (SELECT MIN(row_no) FROM (SELECT row_no FROM job WHERE " +
         finished + " ORDER BY row_no DESC LIMIT $2) newest) RETURNING id";
}
const std::string kPruneBeyondOwner = prune_beyond_by("owner"), kPruneBeyondClient = prune_beyond_by("client");
const std::string kPrune = "DELETE FROM job WHERE state IN ('done', 'failed') AND updated < $1 RETURNING id";

JobState state_of(std::string_view name) {
  const auto* found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) throw Exception(Code::corrupt, "a job is in the state '" + std::string(name) + "'");
  return static_cast<JobState>(found - kStates.begin());
}

Job job_of(const Query& row) {
  return {.number = row.integer(0),
          .id = row.text(1),
          .owner = row.text(2),
          .state = state_of(row.text_view(3)),
          .created = row.integer(4),
          .updated = row.integer(5),
          .name = row.text(6),
          .upload = row.text(7),
          .node_id = row.text(8),
          .reference = row.text(9),
          .request_key = row.text(10),
          .deadline = row.real(11),
          .stage = row.text(12),
          .progress = row.real(13),
          .video = row.text(14),
          .error_code = row.text(15),
          .error_message = row.text(16),
          .attempts = row.integer(17),
          .request_digest = row.text(18),
          .client = row.text(19)};
}

std::optional<Job> first_of(Query rows) {
  if (!rows.step()) return std::nullopt;
  return job_of(rows);
}

std::vector<Job> all_of(Query rows) {
  std::vector<Job> jobs;
  while (rows.step()) jobs.push_back(job_of(rows));
  return jobs;
}

std::int64_t count_of(Query rows) {
  std::int64_t n = 0;
  while (rows.step()) ++n;
  return n;
}

void check_job(const Job& job) {
  check_key(job.owner, "the owner of a job");
  check_text(job.name, "the name of a job's file");
  check_key(job.upload, "the upload of a job");
  check_text(job.reference, "the reference of a job");
  check_key(job.request_key, "the key of a request");
  check_key(job.request_digest, "the digest of a request");
  check_key(job.client, "the client of a job");
}

}  // namespace

std::string_view state_name(JobState state) noexcept { return kStates[static_cast<std::size_t>(state)]; }

Jobs::Jobs(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

Job Jobs::add(const Job& wanted) {
  check_job(wanted);
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  if (auto job = first_of(database->query(kOfUpload, wanted.upload))) return std::move(*job);
  if (auto job = first_of(database->query(kOfRequest, wanted.owner, wanted.request_key))) return std::move(*job);
  const std::string id = random_hex(16);
  database
      ->query(kAdd, id, wanted.owner, unix_seconds(), wanted.name, wanted.upload, wanted.node_id, wanted.reference,
              wanted.request_key, wanted.deadline, wanted.request_digest, wanted.client)
      .step();
  auto job = first_of(database->query(kGet, id));
  if (!job) throw Exception(Code::internal, "the catalog lost a job within a transaction");
  transaction.commit();
  return std::move(*job);
}

std::optional<Job> Jobs::get(std::string_view id) {
  const Connection::Use database(*connection_);
  return first_of(database->query(kGet, id));
}

std::vector<Job> Jobs::list(std::string_view owner, std::int64_t before, std::int64_t limit) {
  const auto below = before > 0 ? before : std::numeric_limits<std::int64_t>::max();
  const Connection::Use database(*connection_);
  return all_of(owner.empty() ? database->query(kListJobs, below, limit)
                              : database->query(kListOf, owner, below, limit));
}

std::int64_t Jobs::ahead(const Job& job) {
  if (job.state != JobState::queued) return 0;
  const Connection::Use database(*connection_);
  auto row = database->query(kAhead, job.number);
  return row.step() ? row.integer(0) : 0;
}

std::int64_t Jobs::unfinished(std::string_view owner, std::string_view client) {
  const Connection::Use database(*connection_);
  auto row = database->query(kUnfinished, owner, client);
  return row.step() ? row.integer(0) : 0;
}

std::vector<std::pair<std::string, std::int64_t>> Jobs::counts() {
  const Connection::Use database(*connection_);
  auto rows = database->query(kCounts);
  std::vector<std::pair<std::string, std::int64_t>> counts;
  while (rows.step()) counts.emplace_back(rows.text(0), rows.integer(1));
  return counts;
}

std::optional<Job> Jobs::claim(std::string_view worker, std::string_view node_id, std::int64_t lease,
                               const JobChoice& choice) {
  const std::string lost =
      "the server ended " + std::to_string(kAttempts) + " times while it worked on this; its log says why";
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const auto now = unix_seconds();
  database->query(kFailLost, now, lost, kAttempts).step();
  database->query(kRequeueLost, now).step();
  auto job =
      first_of(database->query(kClaim, worker, now + lease, now, node_id, static_cast<std::int64_t>(choice.kind),
                               choice.per_client > 0 ? choice.per_client : std::numeric_limits<std::int64_t>::max()));
  transaction.commit();
  return job;
}

bool Jobs::report(std::string_view id, std::string_view worker, std::string_view stage, double progress,
                  std::string_view video, std::int64_t lease) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const auto now = unix_seconds();
  const bool ours = database->query(kReport, stage, progress, video, now + lease, now, id, worker).step();
  transaction.commit();
  return ours;
}

bool Jobs::finish(std::string_view id, std::string_view worker, const Result<std::string>& video) {
  const std::string state(state_name(video ? JobState::done : JobState::failed));
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const bool ours =
      database
          ->query(kFinish, state, video ? std::string_view(*video) : std::string_view(),
                  video ? std::string_view() : code_name(video.error().code),
                  video ? std::string_view() : std::string_view(video.error().message), unix_seconds(), id, worker)
          .step();
  transaction.commit();
  return ours;
}

std::int64_t Jobs::release(std::string_view worker) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const auto released = count_of(database->query(kRelease, worker));
  transaction.commit();
  return released;
}

bool Jobs::give_back(std::string_view id, std::string_view worker) { return defer(id, worker, 0, ""); }

bool Jobs::defer(std::string_view id, std::string_view worker, std::int64_t seconds, std::string_view stage) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const auto now = unix_seconds();
  const bool ours = database->query(kPutOff, now + seconds, stage, now, id, worker).step();
  transaction.commit();
  return ours;
}

bool Jobs::remove(std::string_view id) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const bool removed = database->query(kRemove, id).step();
  transaction.commit();
  return removed;
}

std::int64_t Jobs::prune_beyond(std::string_view owner, std::int64_t most, std::string_view client,
                                std::int64_t most_of_client) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  auto pruned = count_of(database->query(kPruneBeyondOwner, owner, most));
  if (!client.empty()) pruned += count_of(database->query(kPruneBeyondClient, client, most_of_client));
  transaction.commit();
  return pruned;
}

std::int64_t Jobs::prune(std::int64_t seconds) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const auto pruned = count_of(database->query(kPrune, unix_seconds() - seconds));
  transaction.commit();
  return pruned;
}

}  // namespace reeltag::catalog
