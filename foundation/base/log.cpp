#include "reeltag/base/log.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "console.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/time.hpp"

namespace reeltag::log {
namespace {

// Formats with spdlog's pattern and passes the line to the console, which separates it from live progress lines and
// locks; hence no mutex here.
class ConsoleSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t buffer;
    formatter_->format(message, buffer);
    std::string line(buffer.data(), buffer.size());
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    const bool colored = message.color_range_end > message.color_range_start && Console::is_terminal() &&
                         std::getenv("NO_COLOR") == nullptr;
    if (colored) {  // the pattern's %^...%$ marks the level
      line.insert(message.color_range_end, "\033[0m");
      line.insert(message.color_range_start, color(message.level));
    }
    Console::get().write_line(line);
  }
  void flush_() override {}

  static const char* color(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::debug:
        return "\033[36m";  // cyan
      case spdlog::level::warn:
        return "\033[33;1m";  // yellow
      case spdlog::level::err:
        return "\033[31;1m";  // red
      default:
        return "\033[32m";  // green
    }
  }
};

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      break;
  }
  return spdlog::level::off;
}

const char* level_name(Level level) {
  static constexpr std::array kNames{"debug", "info", "warning", "error", "off"};
  return kNames.at(static_cast<std::size_t>(level));
}

struct Setup {
  Options options;
  std::unique_ptr<spdlog::logger> logger;
};

std::shared_ptr<Setup> make_setup(const Options& options) {
  auto logger = std::make_unique<spdlog::logger>("reeltag", std::make_shared<ConsoleSink>());
  logger->set_level(spdlog_level(options.level));
  logger->set_pattern(options.json ? "%v" : "%H:%M:%S %^%l%$ %v");
  return std::make_shared<Setup>(Setup{options, std::move(logger)});
}

// The current settings; a line in progress keeps those it started with.
class Current {
 public:
  static Current& get() {
    static auto* current = new Current;  // never destroyed: static destructors may log
    return *current;
  }
  std::shared_ptr<Setup> setup() {
    const std::lock_guard lock(mutex_);
    return setup_;
  }
  void replace(std::shared_ptr<Setup> setup) {
    const std::lock_guard lock(mutex_);
    setup_.swap(setup);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<Setup> setup_ = make_setup({});
};

Fields& scope_fields() {
  thread_local Fields fields;
  return fields;
}

std::string utc_now() {
  using namespace std::chrono;
  const auto now = system_clock::now();
  const auto seconds = system_clock::to_time_t(now);
  const auto millis = duration_cast<milliseconds>(now.time_since_epoch()).count() % 1000;
  return utc_text(seconds, "%Y-%m-%dT%H:%M:%S.") + std::to_string(1000 + millis).substr(1) + "Z";
}

std::string json_line(Level level, std::string_view event, const Fields& fields) {
  nlohmann::ordered_json line{{"time", utc_now()}, {"level", level_name(level)}, {"event", event}};
  const auto add = [&line](const Field& field) {
    const bool taken = field.key == "time" || field.key == "level" || field.key == "event";
    auto& place = line[taken ? field.key + "_" : field.key];
    std::visit([&place](const auto& held) { place = held; }, field.value.held());
  };
  for (const auto& field : scope_fields()) add(field);
  for (const auto& field : fields) add(field);
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string value_text(const std::string& text) {
  const auto quoted = escape_controls(dump_json(text));
  const bool plain = !text.empty() && quoted.size() == text.size() + 2 && text.find_first_of(" =") == std::string::npos;
  return plain ? quoted.substr(1, quoted.size() - 2) : quoted;
}
std::string value_text(bool value) { return value ? "true" : "false"; }
template <class T>
std::string value_text(T value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::string text_line(std::string_view event, const Fields& fields) {
  std::string line = escape_controls(event);
  const auto add = [&line](const Field& field) {
    line += ' ' + escape_controls(field.key) + '=';
    line += std::visit([](const auto& held) { return value_text(held); }, field.value.held());
  };
  for (const auto& field : scope_fields()) add(field);
  for (const auto& field : fields) add(field);
  return line;
}

}  // namespace

void configure(const Options& options) { Current::get().replace(make_setup(options)); }

bool enabled(Level level) { return level != Level::off && level >= Current::get().setup()->options.level; }

void write(Level level, std::string_view event, const Fields& fields) {
  const auto setup = Current::get().setup();
  if (level == Level::off || level < setup->options.level) return;
  const auto line = setup->options.json ? json_line(level, event, fields) : text_line(event, fields);
  setup->logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

Scope::Scope(std::initializer_list<Field> fields) : before_(scope_fields().size()) {
  scope_fields().insert(scope_fields().end(), fields.begin(), fields.end());
}

Scope::~Scope() {
  scope_fields().erase(scope_fields().begin() + static_cast<std::ptrdiff_t>(before_), scope_fields().end());
}

}  // namespace reeltag::log
