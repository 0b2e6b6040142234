#include "reeltag/http/router.hpp"

#include <algorithm>

#include "reeltag/base/error.hpp"

namespace reeltag::http::server {
namespace {

enum class Kind { literal, parameter, rest };  // in order of precedence

Kind kind_of(std::string_view segment) {
  if (segment.size() < 3 || segment.front() != '{' || segment.back() != '}') return Kind::literal;
  return segment.ends_with("...}") ? Kind::rest : Kind::parameter;
}

std::string name_of(std::string_view segment) {
  segment = segment.substr(1, segment.size() - 2);
  return std::string(kind_of('{' + std::string(segment) + '}') == Kind::rest ? segment.substr(0, segment.size() - 3)
                                                                             : segment);
}

std::vector<std::string> split(const std::string& pattern) {
  std::vector<std::string> out;
  if (pattern == "/") return out;
  for (std::size_t at = 1;;) {
    const auto end = pattern.find('/', at);
    out.push_back(pattern.substr(at, end == std::string::npos ? end : end - at));
    if (end == std::string::npos) return out;
    at = end + 1;
  }
}

// Two patterns with equal shapes match the same paths; sorting by shape puts the more specific one first.
std::vector<std::pair<Kind, std::string>> shape_of(const Route& route) {
  std::vector<std::pair<Kind, std::string>> out;
  for (const auto& segment : route.segments) {
    const Kind kind = kind_of(segment);
    out.emplace_back(kind, kind == Kind::literal ? segment : "");
  }
  return out;
}

bool matches(const Route& route, const std::vector<std::string>& segments, Pairs& parameters) {
  parameters.clear();
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    const auto& wanted = route.segments[i];
    const Kind kind = kind_of(wanted);
    if (kind == Kind::rest) {
      std::string rest;
      for (std::size_t at = i; at < segments.size(); ++at) rest += (at > i ? "/" : "") + segments[at];
      parameters.emplace_back(name_of(wanted), std::move(rest));
      return true;
    }
    if (i >= segments.size()) return false;
    if (kind == Kind::literal ? segments[i] != wanted : segments[i].empty()) return false;
    if (kind == Kind::parameter) parameters.emplace_back(name_of(wanted), segments[i]);
  }
  return route.segments.size() == segments.size();
}

}  // namespace

Router& Router::insert(Route route) {
  const auto wrong = [&](const char* what) {
    throw Exception(Code::invalid_argument, "route " + route.method + ' ' + route.pattern + ": " + what);
  };
  if (!route.pattern.starts_with('/') || route.method.empty()) wrong("want a method and a pattern that begins with /");
  route.segments = split(route.pattern);
  for (const auto& segment : route.segments) {
    const bool braces = segment.find_first_of("{}") != std::string::npos;
    if (braces && (kind_of(segment) == Kind::literal || name_of(segment).empty()))
      wrong("a parameter is a whole segment");
    if (kind_of(segment) == Kind::rest && &segment != &route.segments.back()) wrong("{...} must come last");
  }
  const auto shape = shape_of(route);
  for (const auto& other : routes_)
    if (other.method == route.method && shape_of(other) == shape) wrong("is there already");
  const auto at = std::find_if(routes_.begin(), routes_.end(), [&](const Route& r) { return shape < shape_of(r); });
  routes_.insert(at, std::move(route));
  return *this;
}

Router& Router::add(std::string method, std::string pattern, Handler handler, const RouteOptions& options) {
  return insert(
      {.method = std::move(method), .pattern = std::move(pattern), .handler = std::move(handler), .options = options});
}

Router& Router::upload(std::string method, std::string pattern, BeginUpload begin, const RouteOptions& options) {
  return insert(
      {.method = std::move(method), .pattern = std::move(pattern), .begin = std::move(begin), .options = options});
}

Router& Router::check(Check check) {
  check_ = std::move(check);
  return *this;
}

Router::Match Router::find(std::string_view method, const std::vector<std::string>& segments) const {
  Match out;
  const Route* get = nullptr;
  Pairs of_get;
  const std::vector<std::string>* pattern = nullptr;  // the most specific match: all others are ignored
  for (const auto& route : routes_) {
    Pairs parameters;
    if (!matches(route, segments, parameters)) continue;
    if (pattern != nullptr && shape_of(route) != shape_of(Route{.segments = *pattern})) break;
    pattern = &route.segments;
    out.allowed.push_back(route.method);
    if (route.method == method) return {&route, std::move(parameters), {}};
    if (route.method == "GET") {
      get = &route;
      of_get = std::move(parameters);
    }
  }
  if (get != nullptr) {
    if (method == "HEAD") return {get, std::move(of_get), {}};
    if (std::find(out.allowed.begin(), out.allowed.end(), "HEAD") == out.allowed.end())
      out.allowed.emplace_back("HEAD");
  }
  if (!out.allowed.empty() && std::find(out.allowed.begin(), out.allowed.end(), "OPTIONS") == out.allowed.end())
    out.allowed.emplace_back("OPTIONS");
  return out;
}

}  // namespace reeltag::http::server
