#include "reeltag/base/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include <nlohmann/json.hpp>

#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag::yaml {
namespace {

constexpr int kMaxNodes = 100'000;
constexpr int kMaxYamlDepth = 64;
constexpr std::int64_t kMaxFileBytes = 4 << 20;

[[noreturn]] void fail_at_node(const Node& at, const std::string& what) {
  throw Exception(Code::invalid_config, at.place() + ": " + what);
}

// Copies yaml-cpp's graph to our tree. Expands aliases, which is why there are limits.
class Copier {
 public:
  Copier(const std::string& origin, Repeats repeats) : origin_(origin), repeats_(repeats) {}

  Node copy(const YAML::Node& from, int depth = 0) {
    Node node;
    node.origin = origin_;
    node.line = from.Mark().line + 1;
    if (++nodes_ > kMaxNodes) fail_at_node(node, "more than 100000 values");
    if (depth > kMaxYamlDepth) fail_at_node(node, "more than 64 levels");
    if (from.IsScalar()) {
      node.kind = Kind::scalar;
      node.text = from.Scalar();
    } else if (from.IsSequence()) {
      node.kind = Kind::list;
      for (const auto& item : from) node.items.push_back(copy(item, depth + 1));
    } else if (from.IsMap()) {
      node.kind = Kind::map;
      for (const auto& entry : from) add_entry(node, entry.first, entry.second, depth);
    }
    return node;
  }

 private:
  void add_entry(Node& map, const YAML::Node& key, const YAML::Node& value, int depth) {
    Node at;
    at.origin = origin_;
    at.line = key.Mark().line + 1;
    if (!key.IsScalar()) fail_at_node(at, "a key must be a plain name");
    Node* first = map.find(key.Scalar());
    if (first != nullptr && repeats_ == Repeats::refuse) {
      fail_at_node(at, "the key '" + key.Scalar() + "' stands here a second time");
    }
    auto copied = copy(value, depth + 1);
    copied.line = at.line;  // the key's line, even if the value is below or an alias
    if (first != nullptr) {
      *first = std::move(copied);
    } else {
      map.entries.emplace_back(key.Scalar(), std::move(copied));
    }
  }

  const std::string& origin_;
  Repeats repeats_;
  int nodes_ = 0;
};

// Rejects what YAML forbids: invalid UTF-8 and control characters (except DEL: yaml-cpp writes it). yaml-cpp accepts
// them and may then loop forever.
void check_characters(std::string_view text, const std::string& origin) {
  Node at{.origin = origin, .line = 1};
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\n') ++at.line;
    if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r')
      fail_at_node(at, "not YAML: a control character (byte " + std::to_string(byte) + ")");
  }
  try {
    static_cast<void>(nlohmann::json(text).dump());  // strict about UTF-8
  } catch (const nlohmann::json::exception&) {
    throw Exception(Code::invalid_config, origin + ": not YAML: the text is not UTF-8");
  }
}

// Parses a document's events and discards them.
class Ignore final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

bool has_second_document(std::string_view text) {
  std::istringstream in{std::string(text)};
  YAML::Parser parser(in);
  Ignore ignore;
  return parser.HandleNextDocument(ignore) && parser.HandleNextDocument(ignore);
}

template <class T>
bool read_number(const std::string& text, T& value) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  if (begin != text.data() && begin != end && *begin == '-') return false;
  T parsed{};
  const auto [stopped, problem] = std::from_chars(begin, end, parsed);
  if (problem != std::errc() || stopped != end || begin == end) return false;
  value = parsed;
  return true;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& [name, node] : entries) {
    if (name == key) return &node;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

std::string Node::place() const { return line > 0 ? origin + ":" + std::to_string(line) : origin; }

Node parse(std::string_view text, const std::string& origin, Repeats repeats) {
  check_characters(text, origin);
  try {
    if (has_second_document(text)) throw Exception(Code::invalid_config, origin + ": more than one YAML document");
    const YAML::Node document = YAML::Load(std::string(text));
    if (!document.IsDefined()) return {.origin = origin};
    return Copier(origin, repeats).copy(document);
  } catch (const YAML::Exception& error) {
    const Node at{.origin = origin, .line = error.mark.line + 1};
    fail_at_node(at, "not YAML: " + error.msg + " (column " + std::to_string(error.mark.column + 1) + ")");
  }
}

Node load(const std::filesystem::path& path) {
  return parse(value_or_throw(read_file(path, kMaxFileBytes)), path.string());
}

void merge(Node& under, const Node& over) {
  if (over.kind == Kind::null && (under.kind == Kind::map || under.kind == Kind::null)) return;
  if (under.kind != Kind::map || over.kind != Kind::map) {
    under = over;
    return;
  }
  for (const auto& [key, value] : over.entries) {
    if (Node* there = under.find(key)) {
      merge(*there, value);
    } else {
      under.entries.emplace_back(key, value);
    }
  }
}

bool read(const std::string& text, bool& value) {
  for (const auto* yes : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}) {
    if (text == yes) return value = true, true;
  }
  for (const auto* no : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}) {
    if (text == no) return value = false, true;
  }
  return false;
}

bool read(const std::string& text, int& value) { return read_number(text, value); }
bool read(const std::string& text, std::int64_t& value) { return read_number(text, value); }

bool read(const std::string& text, double& value) {
  constexpr auto kInfinity = std::numeric_limits<double>::infinity();
  if (text == ".inf" || text == "+.inf") return value = kInfinity, true;
  if (text == "-.inf") return value = -kInfinity, true;
  double parsed = 0.0;
  if (!read_number(text, parsed) || !std::isfinite(parsed)) return false;  // from_chars also accepts "inf" and "nan"
  value = parsed;
  return true;
}

}  // namespace reeltag::yaml
