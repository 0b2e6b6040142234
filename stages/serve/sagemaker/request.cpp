#include "request.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "reeltag/base/config.hpp"
#include "reeltag/base/json.hpp"

namespace reeltag::serve::sagemaker {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxName = 2048;
constexpr int kMaxTop = 100'000;
constexpr double kMinDeadline = 0.1, kMaxDeadline = 3600.0;

struct Reference {
  const char* key;
  InputKind where;
};
constexpr std::array<Reference, 4> kReferences{
    {{"s3_uri", InputKind::s3}, {"url", InputKind::url}, {"b64", InputKind::base64}, {"base64", InputKind::base64}}};

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys{"s3_uri", "url",       "b64",      "base64",   "id",
                                             "top",    "threshold", "deadline", "instances"};
  return keys;
}

Result<void> set_number(Overrides& overrides, const std::string& key, double value) {
  const auto bad = [&](const std::string& range) { return fail(Code::invalid_argument, key + " must be " + range); };
  if (key == "top") {
    if (!(value >= 1 && value <= kMaxTop && value == std::floor(value)))
      return bad("a whole number from 1 to " + std::to_string(kMaxTop));
    overrides.top = static_cast<int>(value);
  } else if (key == "threshold") {
    if (!(value >= 0 && value <= 1)) return bad("a number from 0 to 1");
    overrides.threshold = value;
  } else {
    if (!(value >= kMinDeadline && value <= kMaxDeadline)) return bad("seconds from 0.1 to 3600");
    overrides.deadline = value;
  }
  return {};
}

bool is_wish(std::string_view key) { return key == "top" || key == "threshold" || key == "deadline"; }

// Text that is not a number becomes NaN, which is outside every range.
double number_of(const json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

Result<void> check_keys(const json& object) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known_keys().begin(), known_keys().end(), key) != known_keys().end()) continue;
    const auto near = config::nearest_name(key, known_keys());
    return fail(Code::invalid_argument, "unknown key '" + key.substr(0, kMaxName) + "'" +
                                            (near ? "; do you mean '" + *near + "'?" : "; see docs/sagemaker.md"));
  }
  return {};
}

Result<Item> item_of(const json& object, const Overrides& for_all) {
  if (!object.is_object()) return fail(Code::invalid_argument, "must be an object with s3_uri, url or b64");
  if (const auto known = check_keys(object); !known) return fail(known.error());
  Item item{.overrides = for_all};
  int references = 0;
  for (const auto& [key, where] : kReferences) {
    if (!object.contains(key)) continue;
    if (!object[key].is_string()) return fail(Code::invalid_argument, std::string(key) + " must be a text");
    item.where = where;
    item.value = object[key].get<std::string>();
    ++references;
  }
  if (references != 1 || object.contains("instances"))
    return fail(Code::invalid_argument, "must have exactly one of s3_uri, url and b64 (or base64)");
  for (const auto& [key, value] : object.items()) {
    if (!is_wish(key)) continue;
    if (const auto set = set_number(item.overrides, key, number_of(value)); !set) return fail(set.error());
  }
  return item;
}

std::string name_of(const json& object, const std::string& otherwise) {
  if (!object.is_object()) return otherwise;
  if (const auto id = object.find("id"); id != object.end() && id->is_string())
    return id->get<std::string>().substr(0, kMaxName);
  for (const char* key : {"s3_uri", "url"}) {
    const auto found = object.find(key);
    if (found != object.end() && found->is_string()) return found->get<std::string>().substr(0, kMaxName);
  }
  return otherwise;
}

void add(InvocationRequest& request, const json& object, const Overrides& for_all, const std::string& otherwise) {
  request.entries.push_back({name_of(object, otherwise), item_of(object, for_all)});
  const auto& item = request.entries.back().item;
  if (!item || !item->overrides.deadline) return;
  request.deadline = std::min(request.deadline.value_or(*item->overrides.deadline), *item->overrides.deadline);
}

Result<InvocationRequest> asked_of_instances(const json& whole) {
  if (!whole["instances"].is_array() || whole["instances"].empty())
    return fail(Code::invalid_argument, "instances must be a list with at least one object");
  if (const auto known = check_keys(whole); !known) return fail(known.error());
  Overrides for_all;
  for (const auto& [key, value] : whole.items()) {
    if (key == "instances") continue;
    if (!is_wish(key)) return fail(Code::invalid_argument, key + " belongs into the objects of instances");
    if (const auto set = set_number(for_all, key, number_of(value)); !set) return fail(set.error());
  }
  InvocationRequest request{.many = true};
  for (const auto& object : whole["instances"])
    add(request, object, for_all, "instances[" + std::to_string(request.entries.size()) + "]");
  return request;
}

Result<InvocationRequest> asked_of_json(std::string_view text) {
  auto whole = parse_json(text, "the request's body");
  if (!whole) return fail(whole.error());
  if (whole->is_object() && whole->contains("instances")) return asked_of_instances(*whole);
  InvocationRequest request;
  add(request, *whole, {}, "the request's body");
  if (const auto& item = request.entries.front().item; !item)
    return fail(item.error().code, "the request's body: " + item.error().message);
  return request;
}

Result<InvocationRequest> asked_of_lines(std::string_view text) {
  InvocationRequest request{.many = true};
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const auto name = "line " + std::to_string(number);
    const auto object = parse_json(line, name);
    if (object) {
      add(request, *object, {}, name);
    } else {
      request.entries.push_back({name, fail(object.error())});
    }
  }
  if (request.entries.empty()) return fail(Code::invalid_argument, "the request's body has no line");
  return request;
}

}  // namespace

Result<InvocationRequest> parse_request(Content content, std::string_view text) {
  return content == Content::json ? asked_of_json(text) : asked_of_lines(text);
}

Result<Overrides> overrides_of(const http::server::Pairs& query) {
  Overrides overrides;
  for (const auto& [key, value] : query) {
    if (!is_wish(key)) continue;
    const auto number = json::parse(value, nullptr, false);
    if (const auto set = set_number(overrides, key, number_of(number)); !set) return fail(set.error());
  }
  return overrides;
}

}  // namespace reeltag::serve::sagemaker
