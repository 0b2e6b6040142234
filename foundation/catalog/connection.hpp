// The connection behind Jobs, Ownership, Taggings, FeedbackLog and Tokens. Thread-safe through Use; owns the database.
// Private to the catalog.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "reeltag/catalog/service.hpp"
#include "sql_types.hpp"

namespace reeltag::catalog {

std::unique_ptr<Database> open_database(const std::string& location, const Options& options);

class Connection {
 public:
  explicit Connection(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  // Gives one call the database and holds the lock meanwhile.
  class Use {
   public:
    explicit Use(Connection& connection) : lock_(connection.mutex_), database_(*connection.database_) {}
    Database* operator->() const { return &database_; }
    Database& operator*() const { return database_; }

   private:
    std::lock_guard<std::mutex> lock_;
    Database& database_;
  };

 private:
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace reeltag::catalog
