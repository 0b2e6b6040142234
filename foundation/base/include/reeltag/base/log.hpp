// Event log to stderr: a name for scripts plus key/values, as colored text or JSON Lines.
// Thread-safe. A line is written whole, above the live line of a Progress. Does not throw if stderr is closed.
// Control characters in values are escaped, so that a caption cannot move the cursor.
//
//   log::configure({.level = log::Level::info, .json = true});
//   log::info("decode_failed", {{"file", path}, {"seconds", 1.2}});
//   {"time":"2026-11-22T19:30:05.123Z","level":"info","event":"decode_failed","file":"a.mp4","seconds":1.2}
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace reeltag {

// A text that must not appear in logs, error messages or configuration. Only reveal() returns it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] const std::string& reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

// Any stream prints *** for it.
template <class Stream>
Stream& operator<<(Stream& out, const Secret&) {
  out << "***";
  return out;
}

}  // namespace reeltag

namespace reeltag::log {

enum class Level { debug, info, warning, error, off };

// One value of an event: text, number or boolean. Durations become seconds, paths text, a Secret "***".
class Value {
 public:
  using Held = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;

  template <std::same_as<bool> T>
  Value(T value) : held_(value) {}  // NOLINT: implicit, for {{"key", value}}
  template <std::signed_integral T>
  Value(T value) : held_(static_cast<std::int64_t>(value)) {}  // NOLINT
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Value(T value) : held_(static_cast<std::uint64_t>(value)) {}  // NOLINT
  template <std::floating_point T>
  Value(T value) : held_(static_cast<double>(value)) {}                 // NOLINT
  Value(const char* value) : held_(std::string(value)) {}               // NOLINT
  Value(std::string_view value) : held_(std::string(value)) {}          // NOLINT
  Value(std::string value) : held_(std::move(value)) {}                 // NOLINT
  Value(const std::filesystem::path& value) : held_(value.string()) {}  // NOLINT
  Value(const Secret&) : held_(std::string("***")) {}                   // NOLINT
  template <class Rep, class Period>
  Value(std::chrono::duration<Rep, Period> value)  // NOLINT
      : held_(std::chrono::duration<double>(value).count()) {}

  [[nodiscard]] const Held& held() const { return held_; }

 private:
  Held held_;
};

struct Field {
  std::string key;
  Value value;
};
using Fields = std::vector<Field>;

struct Options {
  Level level = Level::info;  // drops events below it
  bool json = false;          // JSON Lines instead of text
};

// Replaces the settings of the whole process. Before the first call: info, text.
void configure(const Options& options);
[[nodiscard]] bool enabled(Level level);

void write(Level level, std::string_view event, const Fields& fields);
inline void debug(std::string_view event, const Fields& fields = {}) { write(Level::debug, event, fields); }
inline void info(std::string_view event, const Fields& fields = {}) { write(Level::info, event, fields); }
inline void warning(std::string_view event, const Fields& fields = {}) { write(Level::warning, event, fields); }
inline void error(std::string_view event, const Fields& fields = {}) { write(Level::error, event, fields); }

// Adds fields (a run or request id) to every line of this thread while it lives. Destroy scopes in reverse order of
// construction.
//
//   const log::Scope scope{{"run", run_id}, {"epoch", 3}};
class Scope {
 public:
  Scope(std::initializer_list<Field> fields);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  std::size_t before_;
};

}  // namespace reeltag::log
