// The table of posts.
#include "check_video.hpp"
#include "connection.hpp"
#include "reeltag/catalog/tables.hpp"
#include "sql_rows.hpp"
#include "table_rows.hpp"

namespace reeltag::catalog {
namespace {

const std::string kReplacePost =
    "INSERT INTO post (site, id, source, video, outcome, round_no, author, caption, hashtags, created, attributes, "
    "seen) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
    "ON CONFLICT (site, id) DO UPDATE SET source = excluded.source, video = excluded.video, outcome = "
    "excluded.outcome, "
    "round_no = excluded.round_no, author = excluded.author, caption = excluded.caption, hashtags = excluded.hashtags, "
    "created = excluded.created, attributes = excluded.attributes, seen = excluded.seen";
const std::string kSelectPost = kSelectPosts + "WHERE site = $1 AND id = $2";
const std::string kSelectAllPosts = kSelectPosts + "ORDER BY site, id";
const std::string kCountPosts = "SELECT outcome, COUNT(*) FROM post WHERE site = $1 GROUP BY outcome ORDER BY outcome";

}  // namespace

void put_post(Database& database, const Post& post, std::int64_t seen) {
  database
      .query(kReplacePost, post.site, post.id, post.source, post.video, post.outcome, post.round, post.author,
             post.caption, text_of_list(post.hashtags), post.created, post.attributes, seen)
      .step();
}

Posts::Posts(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

std::optional<Post> Posts::get(std::string_view site, std::string_view id) {
  check_text(site, "the site to look for");
  check_text(id, "the id to look for");
  const Connection::Use database(*connection_);
  auto row = database->query(kSelectPost, site, id);
  if (!row.step()) return std::nullopt;
  return post_of(row);
}

void Posts::each(const std::function<void(const Post&)>& visit) {
  const Connection::Use database(*connection_);
  auto rows = database->query(kSelectAllPosts);
  while (rows.step()) visit(post_of(rows));
}

std::vector<std::pair<std::string, std::int64_t>> Posts::counts(std::string_view site) {
  check_text(site, "the site to look for");
  const Connection::Use database(*connection_);
  auto rows = database->query(kCountPosts, site);
  std::vector<std::pair<std::string, std::int64_t>> counts;
  while (rows.step()) counts.emplace_back(rows.text(0), rows.integer(1));
  return counts;
}

}  // namespace reeltag::catalog
