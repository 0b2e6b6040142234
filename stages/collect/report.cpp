#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"
#include "reeltag/collect.hpp"

namespace reeltag::collect {

std::string to_json(const ImportReport& report) {
  auto rejected = nlohmann::json::array();
  for (const auto& one : report.rejected) {
    rejected.push_back(
        {{"path", one.path}, {"reason", std::string(code_name(one.reason.code)) + ": " + one.reason.message}});
  }
  return dump_json({{"added", report.added}, {"duplicate", report.duplicate}, {"rejected", std::move(rejected)}});
}

}  // namespace reeltag::collect
