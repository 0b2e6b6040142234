#include "reeltag/base/progress.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "console.hpp"

namespace reeltag {
namespace {

using Clock = std::chrono::steady_clock;

// Often enough to look live, rare enough to cost nothing.
constexpr std::chrono::milliseconds kRedraw{100};
// The rate covers the last half minute: it follows changes quickly and does not jump with each item.
constexpr std::chrono::seconds kRateWindow{30};

std::atomic<Progress::Mode> default_mode{Progress::Mode::automatic};

double seconds_of(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// 1:05:09 or 5:09
std::string clock_text(double seconds) {
  const auto whole = std::llround(seconds);
  std::array<char, 40> text{};
  if (whole >= 3600) {
    std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02lld", whole / 60, whole % 60);
  }
  return text.data();
}

std::string short_number(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::string field_text(const log::Value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string>) return escape_controls(held);
        if constexpr (std::is_same_v<T, bool>) return held ? "true" : "false";
        if constexpr (std::is_same_v<T, double>) return short_number(held);
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return std::to_string(held);
      },
      value.held());
}

}  // namespace

struct Progress::State {
  std::string name;
  std::int64_t total;
  Options options;
  Mode mode;

  std::mutex mutex;  // guards all below
  std::int64_t done;
  log::Fields fields;
  Clock::time_point began = Clock::now();
  Clock::time_point shown = began;  // time of the last output
  bool changed = false;             // since then
  std::deque<std::pair<Clock::time_point, std::int64_t>> samples;

  State(std::string job, std::int64_t all, const Options& chosen)
      : name(std::move(job)), total(all), options(chosen), mode(chosen.mode), done(chosen.start) {
    if (mode == Mode::automatic) mode = default_mode;
    if (mode == Mode::automatic) mode = Console::is_terminal() ? Mode::live : Mode::lines;
    samples.emplace_back(began, done);
  }

  void set(std::int64_t now_done, const log::Fields& now_fields) {
    done = now_done;
    if (!now_fields.empty()) fields = now_fields;
    changed = true;
    const auto now = Clock::now();
    if (now - shown < (mode == Mode::live ? Clock::duration(kRedraw) : Clock::duration(options.interval))) return;
    shown = now;
    sample(now);
    if (mode == Mode::live) Console::get().draw_live(this, cut_to_width(text(now), Console::columns() - 1));
    if (mode == Mode::lines) Console::get().write_line(json(now));
    changed = false;
  }

  void finish() {
    const auto now = Clock::now();
    if (mode == Mode::live) Console::get().end_live(this, cut_to_width(text(now), Console::columns() - 1));
    if (mode == Mode::lines && changed) Console::get().write_line(json(now));
  }

  // Keeps one sample at or before the window's start.
  void sample(Clock::time_point now) {
    samples.emplace_back(now, done);
    while (samples.size() > 2 && now - samples[1].first > kRateWindow) samples.pop_front();
  }

  // Items per second; nullopt before any item is done.
  [[nodiscard]] std::optional<double> rate(Clock::time_point now) const {
    const auto& [since, before] = samples.front();
    const auto seconds = seconds_of(now - since);
    if (seconds <= 0.0 || done <= before) return std::nullopt;
    return static_cast<double>(done - before) / seconds;
  }

  [[nodiscard]] std::optional<double> remaining(std::optional<double> per_second) const {
    if (!per_second || total <= 0) return std::nullopt;
    return static_cast<double>(std::max<std::int64_t>(total - done, 0)) / *per_second;
  }

  // In floating point: byte counts may be near the limit of 64 bits.
  [[nodiscard]] int percent() const {
    return static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total));
  }

  [[nodiscard]] std::string text(Clock::time_point now) const {
    std::string line = escape_controls(name);
    line.append("  ").append(std::to_string(done));
    if (total > 0) line.append("/").append(std::to_string(total));
    if (total > 0) line.append("  ").append(std::to_string(percent())).append(" %");
    const auto per_second = rate(now);
    if (per_second) line.append("  ").append(short_number(*per_second)).append("/s");
    const auto left = remaining(per_second);
    if (left && done < total) {
      line.append("  ").append(clock_text(*left)).append(" left");
    } else {
      line.append("  in ").append(clock_text(seconds_of(now - began)));
    }
    for (const auto& field : fields) {
      line.append("  ").append(escape_controls(field.key)).append(" ").append(field_text(field.value));
    }
    return line;
  }

  [[nodiscard]] std::string json(Clock::time_point now) const {
    nlohmann::ordered_json line{{"event", "progress"}, {"name", name}, {"done", done}};
    if (total > 0) line["total"] = total;
    line["seconds"] = seconds_of(now - began);
    const auto per_second = rate(now);
    if (per_second) line["rate"] = *per_second;
    if (const auto left = remaining(per_second)) line["remaining_seconds"] = *left;
    for (const auto& field : fields) {
      if (line.contains(field.key)) continue;  // the standard fields take precedence
      std::visit([&](const auto& held) { line[field.key] = held; }, field.value.held());
    }
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
};

void Progress::set_mode(Mode mode) { default_mode = mode; }

Progress::Progress(std::string name, std::int64_t total, const Options& options)
    : state_(std::make_unique<State>(std::move(name), total, options)) {}

Progress::~Progress() {
  try {
    const std::lock_guard lock(state_->mutex);
    state_->finish();
  } catch (...) {  // out of memory for a line of text: the job itself is done
  }
}

void Progress::update(std::int64_t done, const log::Fields& fields) {
  if (state_->mode == Mode::quiet) return;
  const std::lock_guard lock(state_->mutex);
  state_->set(done, fields);
}

void Progress::advance(std::int64_t items, const log::Fields& fields) {
  if (state_->mode == Mode::quiet) return;
  const std::lock_guard lock(state_->mutex);
  state_->set(state_->done + items, fields);
}

}  // namespace reeltag
