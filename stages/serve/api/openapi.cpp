#include "api/openapi.hpp"

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "reeltag/base/error.hpp"

namespace reeltag::serve {

extern const char* const kOpenapiYaml;  // made by the build

namespace {

using Json = nlohmann::ordered_json;

// Plain scalars are what YAML 1.2 calls them; quoted ones are texts.
Json scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return text;
  if (text == "true" || text == "false") return text == "true";
  const auto number = nlohmann::json::parse(text, nullptr, false);
  return number.is_number() ? Json(number) : Json(text);
}

Json json_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      Json out = Json::object();
      for (const auto& entry : node) out[entry.first.Scalar()] = json_of(entry.second);
      return out;
    }
    case YAML::NodeType::Sequence: {
      Json out = Json::array();
      for (const auto& item : node) out.push_back(json_of(item));
      return out;
    }
    case YAML::NodeType::Scalar:
      return scalar(node);
    default:
      return nullptr;
  }
}

}  // namespace

const std::string& openapi_json() {
  static const std::string text = [] {
    try {
      return json_of(YAML::Load(kOpenapiYaml)).dump();
    } catch (const YAML::Exception& e) {
      throw Exception(Code::internal, std::string("docs/api/openapi.yaml: ") + e.what());
    }
  }();
  return text;
}

}  // namespace reeltag::serve
