#include "reeltag/base/config.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "reeltag/base/error.hpp"

namespace reeltag::config {
namespace {

using yaml::Kind;
using yaml::Node;

[[noreturn]] void fail_at(const std::string& place, const std::string& what) {
  throw Exception(Code::invalid_config, place + ": " + what);
}

// --- formatting for messages ---

template <class T>
std::string type_name() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, int> || std::is_same_v<T, std::int64_t>) return "a whole number";
  if constexpr (std::is_same_v<T, double>) return "a number";
  if constexpr (std::is_same_v<T, std::string>) return "a text";
  return "a path";
}

// The shortest text that parses to the same number; with a point, so that other parsers see a float.
std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

// A range's bound: integers without the point.
std::string bound_text(double value) {
  if (std::abs(value) < 1e15 && value == std::floor(value)) return std::to_string(static_cast<long long>(value));
  return number_text(value);
}

std::string rule_text(const Rule& rule) {
  if (const auto* range = std::get_if<Range>(&rule)) {
    if (std::isinf(range->max)) return "at least " + bound_text(range->min);
    if (std::isinf(range->min)) return "at most " + bound_text(range->max);
    return "from " + bound_text(range->min) + " to " + bound_text(range->max);
  }
  std::string text;
  if (const auto* one_of = std::get_if<OneOf>(&rule)) {
    for (const auto& choice : one_of->choices) text += (text.empty() ? "one of " : ", ") + choice;
  }
  return text;
}

std::string shown(const Node& node) {
  if (node.kind == Kind::scalar) return "'" + node.text + "'";
  if (node.kind == Kind::list) return "a list";
  return node.kind == Kind::map ? "a section" : "nothing";
}

// --- from YAML into fields ---

template <class T>
T read_scalar(const Node& node, const std::string& key, const Rule& rule) {
  T value{};
  bool good = node.kind == Kind::scalar;
  if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::filesystem::path>) {
    if (good) value = node.text;
  } else {
    good = good && yaml::read(node.text, value);
  }
  if (good) return value;
  const auto limits = rule_text(rule);
  fail_at(node.place(),
          key + ": expected " + type_name<T>() + (limits.empty() ? "" : ", " + limits) + ", got " + shown(node));
}

template <class T>
void check_rule(const T& value, const std::string& text, const std::string& key, const Rule& rule,
                const std::string& place) {
  bool good = true;
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    const auto* range = std::get_if<Range>(&rule);
    const auto number = static_cast<double>(value);
    good = range == nullptr || (number >= range->min && number <= range->max);
  } else if constexpr (std::is_same_v<T, std::string>) {
    const auto* one_of = std::get_if<OneOf>(&rule);
    good = one_of == nullptr || std::count(one_of->choices.begin(), one_of->choices.end(), value) > 0;
  }
  if (!good) fail_at(place, key + ": expected " + rule_text(rule) + ", got '" + text + "'");
}

// --- from fields to YAML ---

// Quotes text that another parser could read as a number, a boolean or syntax.
bool is_plain(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !(letter(text[0]) || text[0] == '/' || text[0] == '_')) return false;
  for (const char c : text) {
    if (!letter(c) && !(c >= '0' && c <= '9') && std::string_view("_-./").find(c) == std::string_view::npos)
      return false;
  }
  bool truth = false;
  return !yaml::read(text, truth) && text != "null" && text != "Null" && text != "NULL" && text != "y" && text != "Y" &&
         text != "n" && text != "N";
}

void emit(YAML::Emitter& out, bool value) { out << (value ? "true" : "false"); }
void emit(YAML::Emitter& out, int value) { out << value; }
void emit(YAML::Emitter& out, std::int64_t value) { out << value; }
void emit(YAML::Emitter& out, double value) { out << number_text(value); }
void emit(YAML::Emitter& out, const std::string& value) {
  if (!is_plain(value)) out << YAML::DoubleQuoted;
  out << value;
}
void emit(YAML::Emitter& out, const std::filesystem::path& value) { emit(out, value.string()); }
template <class T>
void emit(YAML::Emitter& out, const std::vector<T>& values) {
  out << YAML::Flow << YAML::BeginSeq;
  for (const T& value : values) emit(out, value);
  out << YAML::EndSeq;
}

template <class T>
std::string text_of(const T& value) {
  YAML::Emitter out;
  emit(out, value);
  return out.c_str();
}

template <class T>
struct ElementOf {
  using type = T;
};
template <class T>
struct ElementOf<std::vector<T>> {
  using type = T;
};

// --- visitors ---

// Walks struct and YAML in parallel; `key_` is the dotted name of the current section.
class Walker : public Visitor {
 protected:
  explicit Walker(const Node* root) { nodes_.push_back(root); }

  [[nodiscard]] std::string full_key(std::string_view key) const {
    return names_.empty() ? std::string(key) : names_.back() + "." + std::string(key);
  }
  // The value given for this key, or nullptr.
  [[nodiscard]] const Node* given(std::string_view key) const {
    return nodes_.back() == nullptr ? nullptr : nodes_.back()->find(key);
  }

  void enter(std::string_view key) override {
    const Node* node = given(key);
    if (node != nullptr && node->kind != Kind::map && node->kind != Kind::null) {
      fail_at(node->place(), full_key(key) + ": expected a section with keys below it, got " + shown(*node));
    }
    names_.push_back(full_key(key));
    nodes_.push_back(node);
  }
  void leave() override {
    names_.pop_back();
    nodes_.pop_back();
  }

 private:
  std::vector<std::string> names_;
  std::vector<const Node*> nodes_;
};

// Collects every full key, for the check for unknown keys.
class Keys final : public Walker {
 public:
  Keys() : Walker(nullptr) {}
  [[nodiscard]] const std::vector<std::string>& fields() const { return fields_; }
  [[nodiscard]] const std::vector<std::string>& sections() const { return sections_; }

 private:
  void on_field(std::string_view key, Field, std::string_view, const Rule&) override {
    fields_.push_back(full_key(key));
  }
  void enter(std::string_view key) override {
    sections_.push_back(full_key(key));
    Walker::enter(key);
  }

  std::vector<std::string> fields_;
  std::vector<std::string> sections_;
};

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

// The key that was probably meant: a similar sibling, else a key of any section whose last part is similar.
std::optional<std::string> meant_key(const std::string& unknown, const std::string& section, const Keys& keys) {
  std::vector<std::string> all = keys.fields();
  all.insert(all.end(), keys.sections().begin(), keys.sections().end());
  std::vector<std::string> siblings;
  for (const auto& key : all) {
    const auto dot = key.rfind('.');
    if ((dot == std::string::npos ? "" : key.substr(0, dot)) == section) siblings.push_back(last_part(key));
  }
  if (const auto near = nearest_name(unknown, siblings)) return section.empty() ? *near : section + "." + *near;
  std::vector<std::string> lasts;
  for (const auto& key : all) lasts.push_back(last_part(key));
  const auto near = nearest_name(unknown, lasts);
  if (!near) return std::nullopt;
  return all[static_cast<std::size_t>(std::find(lasts.begin(), lasts.end(), *near) - lasts.begin())];
}

void check_known(const Node& map, const std::string& section, const Keys& keys) {
  for (const auto& [name, node] : map.entries) {
    const auto key = section.empty() ? name : section + "." + name;
    const auto is = [&](const std::vector<std::string>& in) {
      return std::find(in.begin(), in.end(), key) != in.end();
    };
    if (name.find('.') != std::string::npos) {
      fail_at(node.place(), "the key '" + name + "' has a point; in YAML write a section and the key below it");
    }
    if (is(keys.sections())) check_known(node, key, keys);
    if (is(keys.sections()) || is(keys.fields())) continue;
    const auto meant = meant_key(name, section, keys);
    fail_at(node.place(),
            "unknown key '" + key + "'" +
                (meant ? "; did you mean '" + *meant + "'?" : "; `reeltag config show` lists the known ones"));
  }
}

class Resolver final : public Walker {
 public:
  explicit Resolver(const Node& root) : Walker(&root) {}

 private:
  void on_field(std::string_view key, Field field, std::string_view, const Rule& rule) override {
    const Node* node = given(key);
    const auto name = full_key(key);
    std::visit(
        [&](auto* value) {
          using T = std::remove_pointer_t<decltype(value)>;
          if (node != nullptr) *value = read<T>(*node, name, rule);
          check(*value, name, rule, node == nullptr ? "default" : node->place());
        },
        field);
  }

  template <class T>
  static T read(const Node& node, const std::string& key, const Rule& rule) {
    using Element = typename ElementOf<T>::type;
    if constexpr (std::is_same_v<T, Element>) {
      return read_scalar<T>(node, key, rule);
    } else {
      if (node.kind != Kind::list) {
        fail_at(node.place(),
                key + ": expected a list like [a, b], each " + type_name<Element>() + ", got " + shown(node));
      }
      T values;
      for (const Node& item : node.items) values.push_back(read_scalar<Element>(item, key, rule));
      return values;
    }
  }

  template <class T>
  static void check(const T& value, const std::string& key, const Rule& rule, const std::string& place) {
    using Element = typename ElementOf<T>::type;
    if constexpr (std::is_same_v<T, Element>) {
      check_rule(value, text_of(value), key, rule, place);
    } else {
      for (const Element& element : value) check_rule(element, text_of(element), key, rule, place);
    }
  }
};

class Shower final : public Walker {
 public:
  explicit Shower(const Node& root) : Walker(&root) {}
  std::vector<Entry> entries;

 private:
  void on_field(std::string_view key, Field field, std::string_view meaning, const Rule& rule) override {
    const Node* node = given(key);
    const auto limits = rule_text(rule);
    const auto value = std::visit([](const auto* held) { return text_of(*held); }, field);
    entries.push_back({full_key(key), value, std::string(meaning) + (limits.empty() ? "" : " (" + limits + ")"),
                       node == nullptr ? "default" : node->place()});
  }
};

class Writer final : public Visitor {
 public:
  Writer() { out_ << YAML::BeginMap; }
  std::string finish() {
    out_ << YAML::EndMap;
    return std::string(out_.c_str()) + "\n";
  }

 private:
  void on_field(std::string_view key, Field field, std::string_view meaning, const Rule& rule) override {
    out_ << YAML::Key << std::string(key) << YAML::Value;
    std::visit([&](const auto* held) { emit(out_, *held); }, field);
    const auto limits = rule_text(rule);
    out_ << YAML::Comment(std::string(meaning) + (limits.empty() ? "" : " (" + limits + ")"));
  }
  void enter(std::string_view key) override { out_ << YAML::Key << std::string(key) << YAML::Value << YAML::BeginMap; }
  void leave() override { out_ << YAML::EndMap; }

  YAML::Emitter out_;
};

}  // namespace

// --- Values ---

namespace {

// Values of --set have no line to report.
void forget_lines(Node& node) {
  node.origin = "--set";
  node.line = 0;
  for (auto& item : node.items) forget_lines(item);
  for (auto& entry : node.entries) forget_lines(entry.second);
}

void add_root(Node& under, const Node& root) {
  if (root.kind != Kind::map && root.kind != Kind::null) {
    fail_at(root.place(), "expected keys with values, got " + shown(root));
  }
  yaml::merge(under, root);
}

}  // namespace

void Values::add_file(const std::filesystem::path& path) { add_root(files_, yaml::load(path)); }

void Values::add_yaml(std::string_view text, const std::string& origin) { add_root(files_, yaml::parse(text, origin)); }

void Values::set(std::string_view assignment) {
  const auto equals = assignment.find('=');
  auto key = assignment.substr(0, equals);
  if (equals == std::string_view::npos || key.empty() || key.front() == '.' || key.back() == '.' ||
      key.find("..") != std::string_view::npos) {
    fail_at("--set", "expected key=value, got '" + std::string(assignment) + "'");
  }
  const auto text = assignment.substr(equals + 1);
  Node value{.kind = Kind::scalar, .origin = "--set"};
  if (!text.empty()) {
    value = yaml::parse(text, "--set " + std::string(key));
    forget_lines(value);
  }
  while (!key.empty()) {  // from the innermost section to the outermost
    const auto dot = key.rfind('.');
    const auto name = key.substr(dot == std::string_view::npos ? 0 : dot + 1);
    Node map{.kind = Kind::map, .origin = "--set"};
    map.entries.emplace_back(name, std::move(value));
    value = std::move(map);
    key = dot == std::string_view::npos ? std::string_view() : key.substr(0, dot);
  }
  yaml::merge(sets_, value);
}

Node Values::merged() const {
  Node all = files_;
  yaml::merge(all, sets_);
  return all;
}

// --- entry points ---

namespace detail {

void resolve(const Values& values, const Visit& visit_all) {
  const Node root = values.merged();
  Keys keys;
  visit_all(keys);
  check_known(root, "", keys);
  Resolver resolver(root);
  visit_all(resolver);
}

std::vector<Entry> show(const Values& values, const Visit& visit_all) {
  const Node root = values.merged();
  Shower shower(root);
  visit_all(shower);
  return shower.entries;
}

std::string to_yaml(const Visit& visit_all) {
  Writer writer;
  visit_all(writer);
  return writer.finish();
}

}  // namespace detail
}  // namespace reeltag::config
