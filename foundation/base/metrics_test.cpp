#include "reeltag/base/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "reeltag/base/error.hpp"

namespace reeltag::metrics {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, PrometheusTextIsExactlyThis) {
  Registry registry;
  registry.counter("reeltag_items_total", "Items \\ seen\nso far", {{"kind", "a\"b\\c\nd"}}).add(3);
  registry.counter("reeltag_items_total", "", {{"kind", "other"}}).add(0.5);
  registry.gauge("reeltag_depth", "Depth").set(-2);
  Histogram& h = registry.histogram("reeltag_wait_seconds", "Wait", {{"route", "/"}}, {0.5, 1.0});
  for (const double value : {0.25, 0.5, 0.75, 4.0}) h.observe(value);
  EXPECT_EQ(registry.text(Format::prometheus),
            "# HELP reeltag_depth Depth\n"
            "# TYPE reeltag_depth gauge\n"
            "reeltag_depth -2\n"
            "# HELP reeltag_items_total Items \\\\ seen\\nso far\n"
            "# TYPE reeltag_items_total counter\n"
            "reeltag_items_total{kind=\"a\\\"b\\\\c\\nd\"} 3\n"
            "reeltag_items_total{kind=\"other\"} 0.5\n"
            "# HELP reeltag_wait_seconds Wait\n"
            "# TYPE reeltag_wait_seconds histogram\n"
            "reeltag_wait_seconds_bucket{route=\"/\",le=\"0.5\"} 2\n"
            "reeltag_wait_seconds_bucket{route=\"/\",le=\"1\"} 3\n"
            "reeltag_wait_seconds_bucket{route=\"/\",le=\"+Inf\"} 4\n"
            "reeltag_wait_seconds_sum{route=\"/\"} 5.5\n"
            "reeltag_wait_seconds_count{route=\"/\"} 4\n");
}

TEST(Metrics, OpenMetricsNamesCountersWithoutTheirEndingAndEnds) {
  Registry registry;
  registry.counter("reeltag_items_total", "Items").add();
  registry.histogram("reeltag_wait_seconds", "Wait", {}, {1.0}).observe(2);
  const std::string text = registry.text(Format::openmetrics);
  EXPECT_THAT(text, HasSubstr("# TYPE reeltag_items counter\nreeltag_items_total 1\n"));
  EXPECT_THAT(text, HasSubstr("_bucket{le=\"1.0\"} 0\n"));
  EXPECT_TRUE(text.ends_with("# EOF\n"));
}

TEST(Metrics, OneNameHasOneMeaning) {
  Registry registry;
  Counter& first = registry.counter("a_total", "A", {{"x", "1"}});
  EXPECT_EQ(&first, &registry.counter("a_total", "A", {{"x", "1"}}));
  EXPECT_NE(&first, &registry.counter("a_total", "A", {{"x", "2"}}));
  EXPECT_THROW(registry.gauge("a_total", "A", {{"x", "1"}}), Exception);
  EXPECT_THROW(registry.counter("a_total", "A", {{"y", "1"}}), Exception);
  for (const char* wrong : {"", "1_total", "a-b_total", "a total", "without_ending"})
    EXPECT_THROW(registry.counter(wrong, "x"), Exception) << wrong;
  EXPECT_THROW(registry.gauge("g", "x", {{"le:", "1"}}), Exception);
  EXPECT_THROW(registry.histogram("h", "x", {}, {1.0, 1.0}), Exception);
}

TEST(Metrics, ThreadsLoseNothing) {
  Registry registry;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&registry] {
        for (int i = 0; i < 10'000; ++i) {
          registry.counter("a_total", "A", {{"x", std::to_string(i % 3)}}).add();
          registry.histogram("h", "H", {}, seconds_buckets()).observe(0.5);
        }
      });
    }
  }
  double sum = 0;
  for (const char* x : {"0", "1", "2"}) sum += registry.counter("a_total", "A", {{"x", x}}).value();
  EXPECT_EQ(sum, 40'000);
  EXPECT_EQ(registry.histogram("h", "H", {}, {}).buckets().back(), 40'000U);
}

TEST(Metrics, TheProcessIsLookedAtWhenAsked) {
  Registry registry;
  registry.add_process();
  std::vector<char> memory(50 << 20, 'x');
  EXPECT_THAT(registry.text(Format::prometheus), HasSubstr("# TYPE process_cpu_seconds_total counter"));
  EXPECT_GT(registry.gauge("process_resident_memory_bytes", "").value(), static_cast<double>(memory.size()));
  EXPECT_GE(registry.gauge("process_virtual_memory_bytes", "").value(),
            registry.gauge("process_resident_memory_bytes", "").value());
  EXPECT_GT(registry.gauge("process_open_fds", "").value(), 2);
  EXPECT_GT(registry.gauge("process_max_fds", "").value(), registry.gauge("process_open_fds", "").value());
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const double start = registry.gauge("process_start_time_seconds", "").value();
  EXPECT_LT(start, now + 1);
  EXPECT_GT(start, now - 3600);
}

}  // namespace
}  // namespace reeltag::metrics
