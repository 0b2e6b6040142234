// Configuration: one struct per module with its defaults, and one `visit` that serves reading, --set, show and writing.
// Precedence: defaults < files (a later file over an earlier one) < --set. No globals.
// Thread-safety: Values and the structs are plain values: share them read-only, else one thread at a time.
// Failure: Exception(invalid_config) naming the file and line (or --set), the key and the expected value; an unknown
// key is reported with the nearest known one.
//
//   struct TrainConfig { int epochs = 100; std::string device = "auto"; media::Limits limits; };
//   template <class V> void visit(V& v, TrainConfig& c) {
//     v("epochs", c.epochs, "Passes over the training split", config::Range{1, 10'000});
//     v("device", c.device, "Where to compute", config::OneOf{{"auto", "cpu", "cuda"}});
//     v.section("limits", c.limits);                       // calls visit(v, c.limits), found beside media::Limits
//   }
//
//   config::Values values;
//   values.add_file(home / "config.yaml");                 // epochs: 30
//   values.set("limits.max_duration=60");                  // the text after = is YAML: numbers, [a, b], {a: 1}
//   TrainConfig c;
//   config::resolve(values, c);
//   write_file(run / "config.yaml", config::to_yaml(c));
//
// Fields may be bool, int, std::int64_t, double, std::string, std::filesystem::path and std::vector of these.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "reeltag/base/yaml.hpp"

namespace reeltag::config {

// Inclusive bounds. For a list they apply to each element. Bounds above 2^53 are rounded to a double.
struct Range {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

// The allowed values of a string (or of each element of a list of strings).
struct OneOf {
  std::vector<std::string> choices;
};

using Rule = std::variant<std::monostate, Range, OneOf>;

using Field = std::variant<bool*, int*, std::int64_t*, double*, std::string*, std::filesystem::path*,
                           std::vector<bool>*, std::vector<int>*, std::vector<std::int64_t>*, std::vector<double>*,
                           std::vector<std::string>*, std::vector<std::filesystem::path>*>;

// The argument of `visit`. Derive from it to use the fields for something else, for example a reference page.
class Visitor {
 public:
  virtual ~Visitor() = default;

  template <class T>
  void operator()(std::string_view key, T& field, std::string_view meaning, const Rule& rule = {}) {
    static_assert(std::is_constructible_v<Field, T*>, "config: see the field types at the top of config.hpp");
    on_field(key, Field{&field}, meaning, rule);
  }

  template <class Struct>
  void section(std::string_view key, Struct& s) {
    enter(key);
    visit(*this, s);
    leave();
  }

 protected:
  virtual void on_field(std::string_view key, Field field, std::string_view meaning, const Rule& rule) = 0;
  virtual void enter(std::string_view key) = 0;
  virtual void leave() = 0;
};

// The settings read from files and --set, before they are applied to a struct.
class Values {
 public:
  // Throws not_found, permission_denied, invalid_config.
  void add_file(const std::filesystem::path& path);
  // origin replaces the file name in messages.
  void add_yaml(std::string_view text, const std::string& origin);
  // Parses "a.b=value". With nothing after the =, the value is the empty text.
  void set(std::string_view assignment);

  // All settings merged: --set over files, whatever the order of the calls.
  [[nodiscard]] yaml::Node merged() const;

 private:
  yaml::Node files_;
  yaml::Node sets_;
};

struct Entry {
  std::string key;      // "limits.max_duration"
  std::string value;    // as YAML
  std::string meaning;  // including the range or the choices
  std::string origin;   // "default", "config.yaml:12" or "--set"
};

namespace detail {
using Visit = std::function<void(Visitor&)>;
void resolve(const Values& values, const Visit& visit_all);
std::vector<Entry> show(const Values& values, const Visit& visit_all);
std::string to_yaml(const Visit& visit_all);
}  // namespace detail

// Writes the values into the struct and checks all of them; fields without a value keep theirs. After a failure the
// struct is partly changed.
template <class Struct>
void resolve(const Values& values, Struct& s) {
  detail::resolve(values, [&s](Visitor& v) { visit(v, s); });
}

// Lists every key of the resolved struct with its value and origin; pass the values that resolve() got.
template <class Struct>
std::vector<Entry> show(const Values& values, Struct s) {
  return detail::show(values, [&s](Visitor& v) { visit(v, s); });
}

// Formats the struct as YAML with the meanings as comments; add_yaml() and resolve() restore the same struct.
template <class Struct>
std::string to_yaml(Struct s) {
  return detail::to_yaml([&s](Visitor& v) { visit(v, s); });
}

// Counts the single-character insertions, deletions, replacements and swaps of neighbors that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate closest to a mistyped name, ignoring case and treating - as _; nullopt when none is close enough.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace reeltag::config
