// Test database that simulates a kill: forwards to another database and throws at its nth commit. One thread.
//
//   catalog::Catalog dying(catalog::connect(std::make_unique<test::CrashingDatabase>(std::move(sqlite), crash)));
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "reeltag/sql.hpp"

namespace reeltag::test {

// Throws std::runtime_error("killed") at a commit of a write transaction, before or after the inner database commits.
// Commits are counted once `armed`.
struct Crash {
  int commit = 0;  // counted from 1
  bool after = false;
  bool armed = false;
};

class CrashingDatabase final : public sql::Database {
 public:
  CrashingDatabase(std::unique_ptr<sql::Database> inner, std::shared_ptr<Crash> crash)
      : inner_(std::move(inner)), crash_(std::move(crash)) {}
  [[nodiscard]] std::string name() const override { return inner_->name(); }
  [[nodiscard]] const sql::Dialect& dialect() const override { return inner_->dialect(); }
  void execute(const std::string& sql) override { inner_->execute(sql); }
  void compact() override { inner_->compact(); }
  sql::Statement& prepare(const std::string& sql) override { return inner_->prepare(sql); }
  void begin_writing() override { inner_->begin_writing(); }
  void begin_reading() override { inner_->begin_reading(); }
  void commit() override {
    const bool last = crash_->armed && --crash_->commit == 0;
    if (last && !crash_->after) throw std::runtime_error("killed");
    inner_->commit();
    if (last) throw std::runtime_error("killed");
  }
  void roll_back() noexcept override { inner_->roll_back(); }

 private:
  std::unique_ptr<sql::Database> inner_;
  std::shared_ptr<Crash> crash_;
};

}  // namespace reeltag::test
