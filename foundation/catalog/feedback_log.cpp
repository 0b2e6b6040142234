#include <array>

#include "check_video.hpp"
#include "connection.hpp"
#include "must_exist.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/catalog/service.hpp"
#include "reeltag/hashtag.hpp"

namespace reeltag::catalog {
namespace {

constexpr std::array<std::string_view, 3> kVerdicts{"accept", "reject", "add"};

const std::string kGive =
    "INSERT INTO feedback (video, owner, name, typed, verdict, given) SELECT id, $2, $3, $4, $5, CAST($6 AS BIGINT) "
    "FROM video "
    "WHERE id = $1 ON CONFLICT (video, owner, name) DO UPDATE SET typed = excluded.typed, "
    "verdict = excluded.verdict, given = excluded.given RETURNING video";
const std::string kWithdraw = "DELETE FROM feedback WHERE video = $1 AND owner = $2 AND name = $3 RETURNING name";
const std::string kFeedback = "SELECT typed, verdict FROM feedback WHERE video = $1 AND owner = $2 ORDER BY name";

}  // namespace

std::string_view verdict_name(FeedbackVerdict verdict) noexcept { return kVerdicts[static_cast<std::size_t>(verdict)]; }

std::optional<FeedbackVerdict> verdict_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kVerdicts.size(); ++i)
    if (kVerdicts[i] == name) return static_cast<FeedbackVerdict>(i);
  return std::nullopt;
}

FeedbackLog::FeedbackLog(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

void FeedbackLog::put(std::string_view video, std::string_view owner, const Feedback& feedback) {
  check_key(feedback.typed, "a hashtag");
  const auto name = hashtag::fold(feedback.typed);
  if (name.empty()) throw Exception(Code::invalid_argument, "a hashtag must have at least one character");
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  must_exist(database->query(kGive, video, owner, name, feedback.typed, verdict_name(feedback.verdict), unix_seconds()),
             video);
  transaction.commit();
}

bool FeedbackLog::withdraw(std::string_view video, std::string_view owner, std::string_view hashtag) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const bool was_there = database->query(kWithdraw, video, owner, hashtag::fold(hashtag)).step();
  transaction.commit();
  return was_there;
}

std::vector<Feedback> FeedbackLog::list(std::string_view video, std::string_view owner) {
  const Connection::Use database(*connection_);
  auto rows = database->query(kFeedback, video, owner);
  std::vector<Feedback> out;
  while (rows.step()) {
    const auto verdict = verdict_from(rows.text_view(1));
    if (!verdict) throw Exception(Code::corrupt, "feedback says '" + rows.text(1) + "' of a hashtag");
    out.push_back({rows.text(0), *verdict});
  }
  return out;
}

std::int64_t FeedbackLog::count() {
  const Connection::Use database(*connection_);
  auto row = database->query("SELECT COUNT(*) FROM feedback");
  return row.step() ? row.integer(0) : 0;
}

}  // namespace reeltag::catalog
