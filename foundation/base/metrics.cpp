#include "reeltag/base/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <mutex>
#include <variant>

#include "reeltag/base/error.hpp"

namespace reeltag::metrics {
namespace {

using Series = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
constexpr std::array kTypes{"counter", "gauge", "histogram"};  // indexed by the variant's index

bool is_name(std::string_view text, bool colon) {
  const auto letter = [colon](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
  };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  const auto end = whole ? std::to_chars(text.begin(), text.end(), static_cast<std::int64_t>(value))
                         : std::to_chars(text.begin(), text.end(), value);
  return {text.data(), end.ptr};
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) out += '\\';
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  return out;
}

// `a="1",b="2"`
std::string label_text(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) out += (out.empty() ? "" : ",") + name + "=\"" + escaped(value, true) + '"';
  return out;
}

std::string line(const std::string& name, const std::string& labels, const std::string& value) {
  return name + (labels.empty() ? "" : '{' + labels + '}') + ' ' + value + '\n';
}

std::string histogram_lines(const std::string& name, const std::string& labels, const Histogram& h, Format format) {
  const auto buckets = h.buckets();
  const std::string before = labels.empty() ? "" : labels + ',';
  std::string out;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    std::string bound = i < h.bounds().size() ? number(h.bounds()[i]) : "+Inf";
    // OpenMetrics requires canonical numbers: "1.0".
    if (format == Format::openmetrics && bound.find_first_of(".e+I") == std::string::npos) bound += ".0";
    out += line(name + "_bucket", before + "le=\"" + bound + '"', std::to_string(buckets[i]));
  }
  out += line(name + "_sum", labels, number(h.sum()));
  return out + line(name + "_count", labels, std::to_string(buckets.back()));
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {
  if (std::adjacent_find(bounds_.begin(), bounds_.end(), std::greater_equal<>()) != bounds_.end())
    throw Exception(Code::invalid_argument, "a histogram's bounds must rise");
}

void Histogram::observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::buckets() const {
  std::vector<std::uint64_t> out;
  std::uint64_t sum = 0;
  for (const auto& count : counts_) out.push_back(sum += count.load(std::memory_order_relaxed));
  return out;
}

std::vector<double> seconds_buckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};
}

std::string_view content_type(Format format) {
  return format == Format::prometheus ? "text/plain; version=0.0.4; charset=utf-8"
                                      : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

struct Registry::Family {
  std::string help;
  std::size_t type = 0;
  std::vector<std::string> label_names;
  std::map<std::string, Series> series;  // by label_text()

  [[nodiscard]] std::string text(const std::string& name, Format format) const {
    // OpenMetrics names a counter's family without the suffix of its sample.
    const bool shortened = format == Format::openmetrics && type == 0;
    const std::string family = shortened ? name.substr(0, name.size() - std::string_view("_total").size()) : name;
    std::string out = "# HELP " + family + ' ' + escaped(help, format == Format::openmetrics) + '\n';
    out += "# TYPE " + family + ' ' + kTypes.at(type) + '\n';
    for (const auto& [labels, one] : series) {
      if (const auto* counter = std::get_if<std::unique_ptr<Counter>>(&one))
        out += line(name, labels, number((*counter)->value()));
      else if (const auto* gauge = std::get_if<std::unique_ptr<Gauge>>(&one))
        out += line(name, labels, number((*gauge)->value()));
      else
        out += histogram_lines(name, labels, *std::get<std::unique_ptr<Histogram>>(one), format);
    }
    return out;
  }
};

struct Registry::State {
  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;
  std::vector<std::function<void()>> refresh;

  // The series with these labels; created by `make` if missing.
  template <class T, class Make>
  T& get(std::string_view name, std::string_view help, const Labels& labels, const Make& make) {
    constexpr std::size_t kType = std::is_same_v<T, Counter> ? 0 : std::is_same_v<T, Gauge> ? 1 : 2;
    static_assert(std::is_same_v<std::variant_alternative_t<kType, Series>, std::unique_ptr<T>>);
    std::vector<std::string> names;
    for (const auto& label : labels) names.push_back(label.first);
    const std::lock_guard lock(mutex);
    auto found = families.find(name);
    if (found == families.end()) {
      const bool sound = is_name(name, true) && (kType != 0 || name.ends_with("_total")) &&
                         std::all_of(names.begin(), names.end(), [](const auto& n) { return is_name(n, false); });
      if (!sound) throw Exception(Code::invalid_argument, "'" + std::string(name) + "' is no name of such a metric");
      found = families.emplace(name, Family{std::string(help), kType, names, {}}).first;
    }
    Family& family = found->second;
    if (family.type != kType || family.label_names != names)
      throw Exception(Code::invalid_argument, "the metric " + std::string(name) + " has another type or other labels");
    auto& series = family.series[label_text(labels)];
    auto* held = std::get_if<std::unique_ptr<T>>(&series);
    if (held == nullptr || !*held) held = &series.template emplace<std::unique_ptr<T>>(make());
    return **held;
  }
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return state_->get<Counter>(name, help, labels, [] { return std::make_unique<Counter>(); });
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return state_->get<Gauge>(name, help, labels, [] { return std::make_unique<Gauge>(); });
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, const Labels& labels,
                               std::vector<double> bounds) {
  return state_->get<Histogram>(name, help, labels, [&] { return std::make_unique<Histogram>(std::move(bounds)); });
}

void Registry::on_collect(std::function<void()> refresh) {
  const std::lock_guard lock(state_->mutex);
  state_->refresh.push_back(std::move(refresh));
}

std::string Registry::text(Format format) const {
  std::unique_lock lock(state_->mutex);
  const auto refresh = state_->refresh;
  lock.unlock();
  for (const auto& call : refresh) call();
  lock.lock();
  std::string out;
  for (const auto& [name, family] : state_->families) out += family.text(name, format);
  if (format == Format::openmetrics) out += "# EOF\n";
  return out;
}

}  // namespace reeltag::metrics
