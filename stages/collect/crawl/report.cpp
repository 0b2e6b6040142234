#include <nlohmann/json.hpp>

#include "reeltag/base/json.hpp"
#include "reeltag/collect.hpp"
#include "reeltag/collection.hpp"

namespace reeltag::collect {

std::string to_json(const ImportReport& report) {
  auto rejected = nlohmann::json::array();
  for (const auto& one : report.rejected) {
    rejected.push_back(
        {{"path", one.path}, {"reason", std::string(code_name(one.reason.code)) + ": " + one.reason.message}});
  }
  nlohmann::json out{{"added", report.added}, {"duplicate", report.duplicate}, {"rejected", std::move(rejected)}};
  if (!report.passed_over.empty()) out["passed_over"] = report.passed_over;
  if (!report.notes.empty()) out["notes"] = report.notes;
  if (report.metadata_only > 0) out["metadata_only"] = report.metadata_only;
  return dump_json(out);
}

std::string to_json(const CollectReport& report) {
  auto hashtags = nlohmann::json::object(), addresses = nlohmann::json::object();
  for (const auto& [hashtag, r] : report.hashtags) {
    nlohmann::json one{{"seen", r.seen},     {"added", r.added},       {"duplicate", r.duplicate},
                       {"failed", r.failed}, {"outcomes", r.outcomes}, {"ended", r.ended}};
    if (r.early()) one["message"] = r.message;
    (http::is_url(hashtag) ? addresses : hashtags)[hashtag] = std::move(one);
  }
  nlohmann::json out{{"source", report.source}, {"hashtags", std::move(hashtags)}};
  if (!addresses.empty()) out["addresses"] = std::move(addresses);
  return dump_json(out);
}

}  // namespace reeltag::collect
