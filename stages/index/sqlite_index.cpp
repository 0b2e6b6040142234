#include "sqlite_index.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "check.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/hashtag.hpp"

namespace reeltag::index {
namespace {

using sql::Snapshot;
using sql::SqliteDatabase;
using sql::Transaction;

constexpr std::chrono::seconds kLockWait{10};
// SQLite application id of the file; "rein" in ASCII.
constexpr std::int64_t kApplicationId = 0x7265696E;
// Incremented with every change of the tables or of the words that words_of() returns.
constexpr std::int64_t kFormat = 2;

// tag_by_hashtag covers all that a search reads of a tag. typed and segments are JSON, read only for returned hits,
// never searched. text_words has the words of caption and typed joined by blanks; its tokenizer splits at the blanks
// and nowhere else, because words contain neither ASCII punctuation nor upper case (words.hpp).
const std::string kTables =
    "CREATE TABLE video (row_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, caption TEXT NOT NULL, "
    "typed TEXT NOT NULL, model TEXT NOT NULL, model_version TEXT NOT NULL) STRICT;"
    "CREATE TABLE hashtag (row_no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE hashtag_name (name TEXT NOT NULL, hashtag_row INTEGER NOT NULL REFERENCES hashtag (row_no), "
    "share REAL NOT NULL, PRIMARY KEY (name, hashtag_row)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE tag (video_row INTEGER NOT NULL REFERENCES video (row_no), hashtag_row INTEGER NOT NULL REFERENCES "
    "hashtag (row_no), score REAL NOT NULL, segments TEXT NOT NULL, PRIMARY KEY (video_row, hashtag_row)) STRICT, "
    "WITHOUT ROWID;"
    "CREATE INDEX tag_by_hashtag ON tag (hashtag_row, video_row, score);";
// Full-text search, which is specific to this database.
const std::string kTextTable = "CREATE VIRTUAL TABLE text_words USING fts5 (caption, typed, tokenize = 'ascii');";
const std::string kFindText = "SELECT rowid FROM text_words WHERE text_words MATCH $1";

const std::string kPutTexts =
    "INSERT INTO video (name, caption, typed, model, model_version) VALUES ($1, $2, $3, '', '') "
    "ON CONFLICT (name) DO UPDATE SET caption = excluded.caption, typed = excluded.typed "
    "WHERE video.caption <> excluded.caption OR video.typed <> excluded.typed RETURNING row_no";
const std::string kDropWords = "DELETE FROM text_words WHERE rowid = $1";
const std::string kPutWords = "INSERT INTO text_words (rowid, caption, typed) VALUES ($1, $2, $3)";

const std::string kPutModel =
    "INSERT INTO video (name, caption, typed, model, model_version) VALUES ($1, '', '[]', $2, $3) "
    "ON CONFLICT (name) DO UPDATE SET model = excluded.model, model_version = excluded.model_version RETURNING row_no";
const std::string kDropTags = "DELETE FROM tag WHERE video_row = $1";
const std::string kPutTag =
    "INSERT INTO tag (video_row, hashtag_row, score, segments) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (video_row, hashtag_row) DO UPDATE SET score = excluded.score, segments = excluded.segments "
    "WHERE excluded.score > tag.score";
const std::string kSelectHashtag = "SELECT row_no FROM hashtag WHERE name = $1";
const std::string kPutHashtag = "INSERT INTO hashtag (name) VALUES ($1) RETURNING row_no";
const std::string kPutName = "INSERT INTO hashtag_name (name, hashtag_row, share) VALUES ($1, $2, $3)";

const std::string kSelectNames = "SELECT row_no, name FROM video";
const std::string kDropVideo = "DELETE FROM video WHERE row_no = $1";
const std::string kDropHashtags =
    "DELETE FROM hashtag_name WHERE hashtag_row NOT IN (SELECT hashtag_row FROM tag);"
    "DELETE FROM hashtag WHERE row_no NOT IN (SELECT hashtag_row FROM tag);";
const std::string kMergeWords = "INSERT INTO text_words (text_words) VALUES ('optimize')";

const std::string kHighestRow = "SELECT COALESCE(MAX(row_no), 0) FROM video";
const std::string kSelectModel = "SELECT model, model_version FROM video WHERE name = $1";
const std::string kNamed = "SELECT hashtag_row, share FROM hashtag_name WHERE name = $1";
const std::string kTagged = "SELECT video_row, score FROM tag WHERE hashtag_row = $1";
const std::string kSelectVideo = "SELECT name, caption, typed FROM video WHERE row_no = $1";
const std::string kSelectTags =
    "SELECT t.hashtag_row, h.name, t.score, t.segments FROM tag t JOIN hashtag h ON h.row_no = t.hashtag_row "
    "WHERE t.video_row = $1 ORDER BY t.score DESC, h.name";

const std::string kCountVideos =
    "SELECT COUNT(*), COUNT(CASE WHEN caption <> '' THEN 1 END), COUNT(CASE WHEN typed <> '[]' THEN 1 END) FROM video";
const std::string kCountPredicted = "SELECT COUNT(DISTINCT video_row) FROM tag";
const std::string kCountHashtags = "SELECT COUNT(DISTINCT hashtag_row) FROM tag";
const std::string kCountModels =
    "SELECT model, model_version, COUNT(*) FROM video WHERE model <> '' GROUP BY model, model_version "
    "ORDER BY model, model_version";

sql::Purpose purpose() {
  return {.name = "index",
          .when_damaged = "delete it and make it anew with: reeltag index build",
          .when_foreign = "delete it, or set index.url to another file; then: reeltag index build",
          .every_commit_synced = false};
}

std::int64_t pragma(SqliteDatabase& database, const std::string& name) {
  auto query = database.query("PRAGMA " + name);
  return query.step() ? query.integer(0) : 0;
}

// The file is untrusted: it may come from elsewhere.
nlohmann::json parse_own(std::string_view text) {
  auto list = parse_json(text, "index");
  if (!list || !list->is_array()) throw Exception(Code::corrupt, "the index holds a list that is none");
  return std::move(*list);
}

std::vector<std::string> texts_of(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& one : parse_own(text)) {
    if (one.is_string()) out.push_back(one.get<std::string>());
  }
  return out;
}

void put_words(SqliteDatabase& database, std::int64_t row, std::string_view caption,
               std::span<const std::string> typed) {
  const auto of_caption = spaced(words_of(caption)), of_typed = spaced(words_of_typed(typed));
  if (!of_caption.empty() || !of_typed.empty()) database.query(kPutWords, row, of_caption, of_typed).step();
}

void put_names(SqliteDatabase& database, std::int64_t hashtag, const std::string& name) {
  for (const auto& [part, share] : names_of(name)) database.query(kPutName, part, hashtag, share).step();
}

// Format 1 differs in the words alone: it has them with their accents.
void renew_words(SqliteDatabase& database) {
  Transaction transaction(database);
  if (pragma(database, "user_version") != 1) return;  // another process was first
  database.execute("DELETE FROM text_words; DELETE FROM hashtag_name;");
  auto videos = database.query("SELECT row_no, caption, typed FROM video");
  while (videos.step()) put_words(database, videos.integer(0), videos.text(1), texts_of(videos.text_view(2)));
  auto hashtags = database.query("SELECT row_no, name FROM hashtag");
  while (hashtags.step()) put_names(database, hashtags.integer(0), hashtags.text(1));
  database.execute("PRAGMA user_version = " + std::to_string(kFormat));
  transaction.commit();
}

// Several processes may open one new file at once.
void make_tables(SqliteDatabase& database) {
  if (pragma(database, "application_id") != kApplicationId) {
    Transaction transaction(database);
    if (pragma(database, "application_id") != kApplicationId) {
      {
        auto query = database.query("SELECT COUNT(*) FROM sqlite_schema");
        if (query.step() && query.integer(0) != 0) {
          throw Exception(Code::invalid_argument, "'" + database.path().string() +
                                                      "' is a database of another program; set index.url to another "
                                                      "file");
        }
      }
      database.execute(kTables + kTextTable);
      database.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
      database.execute("PRAGMA user_version = " + std::to_string(kFormat));
      transaction.commit();
    }
  }
  if (pragma(database, "user_version") == 1) renew_words(database);
  if (const auto format = pragma(database, "user_version"); format != kFormat) {
    throw Exception(Code::unsupported, "index '" + database.path().string() + "' has the form " +
                                           std::to_string(format) + ", this reeltag knows " + std::to_string(kFormat) +
                                           "; delete it and make it anew with: reeltag index build");
  }
}

// FTS5 query for these words in sequence. Words contain no quotes.
std::string match_of(const Phrase& phrase) {
  std::string out = "\"";
  for (const auto& word : phrase.words) out.append(out.size() == 1 ? "" : " ").append(word);
  return out + "\"";
}

std::string json_of(const std::vector<Segment>& segments) {
  nlohmann::json out = nlohmann::json::array();
  for (const auto& s : segments) out.push_back({s.start, s.end});
  return dump_json(out);
}

std::vector<Segment> segments_of(std::string_view text) {
  std::vector<Segment> out;
  for (const auto& pair : parse_own(text)) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_number()) {
      throw Exception(Code::corrupt, "the index holds a segment that is none");
    }
    out.push_back({pair[0].get<double>(), pair[1].get<double>()});
  }
  return out;
}

}  // namespace

SqliteIndex::SqliteIndex(const std::filesystem::path& path) : database_(path, kLockWait, purpose()) {
  make_tables(database_);
}

void SqliteIndex::put_texts(std::span<const Texts> videos) {
  for (const auto& texts : videos) check(texts);
  const std::lock_guard lock(mutex_);
  Transaction transaction(database_);
  for (const auto& texts : videos) {
    Row row = 0;
    {
      auto put = database_.query(kPutTexts, texts.video, texts.caption, dump_json(texts.typed));
      if (!put.step()) continue;  // unchanged
      row = put.integer(0);
    }
    database_.query(kDropWords, row).step();
    put_words(database_, row, texts.caption, texts.typed);
  }
  transaction.commit();
}

void SqliteIndex::put_predictions(std::span<const Prediction> videos) {
  for (const auto& prediction : videos) check(prediction);
  const std::lock_guard lock(mutex_);
  Transaction transaction(database_);
  for (const auto& prediction : videos) put(prediction);
  transaction.commit();
}

void SqliteIndex::put(const Prediction& p) {
  const Row row = [&] {
    auto put = database_.query(kPutModel, p.video, p.model.name, p.model.version);
    if (!put.step()) throw Exception(Code::internal, "the index gave no row where there must be one");
    return put.integer(0);
  }();
  database_.query(kDropTags, row).step();
  for (const auto& tag : p.tags) {
    const Row hashtag = hashtag_row(hashtag::fold(tag.hashtag));
    database_.query(kPutTag, row, hashtag, tag.score, json_of(tag.segments)).step();
  }
}

SqliteIndex::Row SqliteIndex::hashtag_row(const std::string& name) {
  if (auto select = database_.query(kSelectHashtag, name); select.step()) return select.integer(0);
  const Row row = [&] {
    auto put = database_.query(kPutHashtag, name);
    return put.step() ? put.integer(0) : 0;
  }();
  put_names(database_, row, name);
  return row;
}

std::int64_t SqliteIndex::remove(const std::function<bool(const std::string& video)>& gone) {
  const std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  {
    Transaction transaction(database_);
    auto names = database_.query(kSelectNames);
    while (names.step()) {
      if (gone(names.text(1))) rows.push_back(names.integer(0));
    }
    for (const Row row : rows) {
      for (const auto& drop : {kDropTags, kDropWords, kDropVideo}) database_.query(drop, row).step();
    }
    if (!rows.empty()) database_.execute(kDropHashtags);
    transaction.commit();
  }
  // FTS5 only marks a text as deleted; its words are erased when segments are merged.
  database_.execute(kMergeWords);
  database_.compact();
  return static_cast<std::int64_t>(rows.size());
}

bool SqliteIndex::predicted_by(std::string_view video, const Model& model) {
  const std::lock_guard lock(mutex_);
  auto select = database_.query(kSelectModel, video);
  if (!select.step() || select.text_view(0) != model.name) return false;
  return model.version.empty() || select.text_view(1).empty() || select.text_view(1) == model.version;
}

std::vector<Hit> SqliteIndex::search(std::string_view text, std::int64_t limit) {
  if (limit < 1) throw Exception(Code::invalid_argument, "search: the limit must be at least 1");
  const auto query = parse_query(text);
  const std::lock_guard lock(mutex_);
  const Snapshot snapshot(database_);
  const auto named = named_by(query);
  // More than asked for: which of them have the very spelling is known once their texts are read.
  PartCounts found_in{};
  const auto found_rows = find(query, named, found_in);
  const auto weights = weights_of(found_in, single(kHighestRow));
  const auto best =
      found_rows.best(static_cast<std::size_t>(std::max(limit, std::min(2 * limit, limit + 200))), weights);
  std::vector<std::pair<int, Hit>> found;
  found.reserve(best.size());
  for (const auto& [row, score] : best) found.push_back(hit_of(row, score, query, named));
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.second.score != b.second.score ? a.second.score > b.second.score : a.first < b.first;
  });
  std::vector<Hit> hits;
  for (auto& [otherwise, hit] : found) {
    if (static_cast<std::int64_t>(hits.size()) < limit) hits.push_back(std::move(hit));
  }
  return hits;
}

SqliteIndex::Shares SqliteIndex::named_by(const Query& query) {
  Shares shares;
  for (const auto& name : query.names) {
    auto rows = database_.query(kNamed, name);
    while (rows.step()) {
      double& share = shares[rows.integer(0)];
      share = std::min(1.0, share + rows.real(1));
    }
  }
  return shares;
}

Board SqliteIndex::find(const Query& query, const Shares& named, PartCounts& found_in) {
  Board found;
  for (const auto& phrase : query.phrases) {
    auto rows = database_.query(kFindText, match_of(phrase));
    while (rows.step()) {
      auto& covered = found[rows.integer(0)].covered;
      for (auto rest = phrase.covers & ~covered; rest != 0; rest &= rest - 1)
        ++found_in.at(static_cast<std::size_t>(std::countr_zero(rest)));
      covered |= phrase.covers;
    }
  }
  for (const auto& [hashtag, share] : named) {
    auto rows = database_.query(kTagged, hashtag);
    while (rows.step()) found[rows.integer(0)].named += share * rows.real(1);
  }
  return found;
}

// The hit, and how many of the query's words its texts have in another spelling only.
std::pair<int, Hit> SqliteIndex::hit_of(Row row, double score, const Query& query, const Shares& named) {
  Hit hit;
  hit.score = score;
  auto video = database_.query(kSelectVideo, row);
  if (!video.step()) throw Exception(Code::corrupt, "index '" + database_.path().string() + "' lacks a row");
  hit.video = video.text(0);
  hit.caption = video.text(1);
  if (holds(words_of(hit.caption), query.phrases)) hit.why.push_back(Why::caption);
  const auto typed = texts_of(video.text_view(2));
  if (holds(words_of_typed(typed), query.phrases)) hit.why.push_back(Why::typed);
  const int otherwise = spelled_otherwise(query, hit.caption, typed);
  auto tags = database_.query(kSelectTags, row);
  while (tags.step()) {
    if (!named.contains(tags.integer(0))) continue;
    hit.named.push_back({.hashtag = tags.text(1), .score = tags.real(2), .segments = segments_of(tags.text_view(3))});
    hit.segments.insert(hit.segments.end(), hit.named.back().segments.begin(), hit.named.back().segments.end());
  }
  if (!hit.named.empty()) hit.why.push_back(Why::predicted);
  hit.segments = united(std::move(hit.segments));
  return {otherwise, std::move(hit)};
}

SqliteIndex::Row SqliteIndex::single(const std::string& sql) {
  auto query = database_.query(sql);
  return query.step() ? query.integer(0) : 0;
}

Stats SqliteIndex::stats() {
  const std::lock_guard lock(mutex_);
  const Snapshot snapshot(database_);
  Stats stats;
  if (auto counts = database_.query(kCountVideos); counts.step()) {
    stats.videos = counts.integer(0);
    stats.captioned = counts.integer(1);
    stats.typed = counts.integer(2);
  }
  stats.predicted = single(kCountPredicted);
  stats.hashtags = single(kCountHashtags);
  auto models = database_.query(kCountModels);
  while (models.step()) {
    stats.models.emplace_back(Model{models.text(0), models.text(1)}, models.integer(2));
  }
  return stats;
}

}  // namespace reeltag::index
