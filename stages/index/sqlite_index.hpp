// Index on SQLite with FTS5. Private. Thread-safe: one connection, which a mutex serialises; owns the connection.
// Throws as Index does.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include "query.hpp"
#include "reeltag/index.hpp"
#include "reeltag/sql/sqlite.hpp"

namespace reeltag::index {

class SqliteIndex final : public Index {
 public:
  // Creates the tables in a new file.
  explicit SqliteIndex(const std::filesystem::path& path);

  void put_texts(std::span<const Texts> videos) override;
  void put_predictions(std::span<const Prediction> videos) override;
  std::int64_t remove(const std::function<bool(const std::string& video)>& gone) override;
  bool predicted_by(std::string_view video, const Model& model) override;
  std::vector<Hit> search(std::string_view query, std::int64_t limit) override;
  Stats stats() override;

 private:
  using Row = std::int64_t;
  using Shares = std::map<Row, double>;  // per hashtag row that a query names: the share that it names

  void put(const Prediction& prediction);
  Row hashtag_row(const std::string& name);
  Shares named_by(const Query& query);
  // Also counts in how many videos' texts each part was found.
  Board find(const Query& query, const Shares& named, PartCounts& found_in);
  std::pair<int, Hit> hit_of(Row row, double score, const Query& query, const Shares& named);
  Row single(const std::string& sql);

  std::mutex mutex_;
  sql::SqliteDatabase database_;
};

}  // namespace reeltag::index
