// The connection behind the tables. Private to the catalog.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "reeltag/base/error.hpp"
#include "reeltag/catalog/connection.hpp"
#include "sql_types.hpp"

namespace reeltag::catalog {

class Connection {
 public:
  explicit Connection(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  // Gives one call the database and holds the lock meanwhile. A callback that calls back gets an Exception instead of a
  // deadlock.
  class Use {
   public:
    explicit Use(Connection& connection) : connection_(connection) {
      if (connection.user_ == std::this_thread::get_id()) {
        throw Exception(Code::internal, "a callback of the catalog called the catalog");
      }
      connection.mutex_.lock();
      connection.user_ = std::this_thread::get_id();
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
      connection_.user_ = std::thread::id{};
      connection_.mutex_.unlock();
    }
    Database* operator->() const { return connection_.database_.get(); }
    Database& operator*() const { return *connection_.database_; }

   private:
    Connection& connection_;
  };

 private:
  std::mutex mutex_;
  std::atomic<std::thread::id> user_;
  std::unique_ptr<Database> database_;
};

}  // namespace reeltag::catalog
