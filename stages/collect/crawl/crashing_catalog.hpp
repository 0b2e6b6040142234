// Test catalog that simulates a kill: forwards to another catalog and throws at its nth record(). One thread. Refers to
// the inner catalog.
//
//   CrashingCatalog dying(*catalog, 3, true);   // throws after the third record()
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "reeltag/catalog.hpp"

namespace reeltag::collect {

// Throws std::runtime_error at the nth record(), before or after the change reaches the inner catalog.
class CrashingCatalog final : public catalog::Catalog {
 public:
  CrashingCatalog(catalog::Catalog& inner, int dies_at, bool after) : inner_(inner), left_(dies_at), after_(after) {}
  catalog::AddOutcome record(const catalog::ChangeSet& r) override {
    const bool last = --left_ == 0;
    if (last && !after_) throw std::runtime_error("killed");
    const auto added = inner_.record(r);
    if (last) throw std::runtime_error("killed");
    return added;
  }
  std::vector<catalog::AddOutcome> record_all(std::span<const catalog::ChangeSet> r) override {
    return inner_.record_all(r);
  }
  catalog::AddOutcome add(const catalog::Video& v) override { return inner_.add(v); }
  std::vector<catalog::AddOutcome> add_all(std::span<const catalog::Video> v) override { return inner_.add_all(v); }
  std::optional<catalog::Video> get(std::string_view id) override { return inner_.get(id); }
  std::optional<catalog::Post> post(std::string_view s, std::string_view id) override { return inner_.post(s, id); }
  void each_post(const std::function<void(const catalog::Post&)>& v) override { inner_.each_post(v); }
  std::vector<std::pair<std::string, std::int64_t>> post_counts(std::string_view s) override {
    return inner_.post_counts(s);
  }
  std::optional<std::string> note(std::string_view n) override { return inner_.note(n); }
  void each(const catalog::Filter& f, const std::function<void(const catalog::Video&)>& v) override {
    inner_.each(f, v);
  }
  std::int64_t count(const catalog::Filter& f) override { return inner_.count(f); }
  std::vector<std::pair<std::string, std::int64_t>> hashtag_counts() override { return inner_.hashtag_counts(); }
  void each_grouping(const std::function<void(const catalog::SplitGrouping&)>& v) override { inner_.each_grouping(v); }
  void put_fingerprints(std::span<const std::pair<std::string, std::string>> f) override { inner_.put_fingerprints(f); }
  void put_clusters(std::span<const std::pair<std::string, std::string>> c) override { inner_.put_clusters(c); }
  catalog::ForgetResult forget(catalog::Forgettable k, std::string_view v) override { return inner_.forget(k, v); }
  bool is_forgotten(catalog::Forgettable k, std::string_view v) override { return inner_.is_forgotten(k, v); }
  catalog::Tombstones tombstones() override { return inner_.tombstones(); }
  void each_row(const std::function<void(const catalog::Row&)>& v) override { inner_.each_row(v); }
  catalog::Counts restore(std::span<const catalog::Row> r) override { return inner_.restore(r); }
  std::string forgetting() override { return inner_.forgetting(); }
  void finish_forgetting(std::string_view p) override { inner_.finish_forgetting(p); }
  void compact() override { inner_.compact(); }

 private:
  catalog::Catalog& inner_;
  int left_;
  bool after_;
};

}  // namespace reeltag::collect
