// Metrics of a running program for Prometheus: counters, gauges, histograms.
// Thread-safe; an update is a few atomic operations. The Registry owns the metrics that it returns.
// Failure: Exception(invalid_argument) for an invalid name, or one name with two types or different label names (a
// bug). Names are reeltag_<module>_<what>_<unit>, counters end in _total; labels have few values: no ids, tags or
// users.
//
//   metrics::Registry registry;
//   registry.counter("reeltag_collect_items_total", "Items seen", {{"source", "tiktok"}}).add();
//   registry.text(metrics::Format::prometheus);
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reeltag::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(double amount = 1.0) { value_.fetch_add(amount, std::memory_order_relaxed); }  // amount >= 0
  // For totals that are counted elsewhere (by the kernel).
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0.0;
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0.0;
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);

  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  // Cumulative counts, one per bound and one for +Inf.
  [[nodiscard]] std::vector<std::uint64_t> buckets() const;
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_ = 0.0;
};

// Bounds from 1 ms to 10 s, each 2 to 2.5 times the one before.
std::vector<double> seconds_buckets();

enum class Format { prometheus, openmetrics };
// The value of the Content-Type header.
std::string_view content_type(Format format);

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels, std::vector<double> bounds);

  // Runs before each text(), to refresh values that are sampled only then. Must not call text().
  void on_collect(std::function<void()> refresh);
  // Adds process_cpu_seconds_total, process_resident_memory_bytes and the other standard metrics of client libraries.
  void add_process();

  [[nodiscard]] std::string text(Format format) const;

 private:
  struct Family;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reeltag::metrics
