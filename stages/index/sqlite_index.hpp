// The Index on SQLite with FTS5: one connection, one thread in it at a time. Private to the index.
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
  // Makes the tables where the file is new.
  explicit SqliteIndex(const std::filesystem::path& path);

  void put_texts(std::span<const Texts> videos) override;
  void put_predictions(std::span<const Prediction> videos) override;
  std::int64_t remove(const std::function<bool(const std::string& video)>& gone) override;
  bool predicted_by(std::string_view video, const Model& model) override;
  std::vector<Hit> search(std::string_view query, std::int64_t limit) override;
  Stats stats() override;

 private:
  using Row = std::int64_t;
  using Shares = std::map<Row, double>;  // of hashtags that a query names: how much of each

  void put(const Prediction& prediction);
  Row hashtag_row(const std::string& name);
  Shares named_by(const Query& query);
  Board find(const Query& query, const Shares& named);
  Hit hit_of(Row row, double score, const Query& query, const Shares& named);
  Row single(const std::string& sql);

  std::mutex mutex_;
  sql::SqliteDatabase database_;
};

}  // namespace reeltag::index
