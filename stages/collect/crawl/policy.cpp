#include "crawl/policy.hpp"

#include "reeltag/base/error.hpp"

namespace reeltag::collect {

std::filesystem::path policy_file(const std::filesystem::path& home, std::string_view source) {
  return home / "policies" / (std::string(source) + ".yaml");
}

Policy read_policy(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    throw Exception(Code::invalid_config,
                    "live collection is off: there is no policy file " + file.string() +
                        ". It says terms, allowed_by, requests_per_minute and retention_days; see docs/collect.md, and "
                        "--dry-run for what would be asked");
  }
  Policy policy;
  config::Values values;
  values.add_file(file);
  config::resolve(values, policy);
  const auto need = [&](bool there, const char* key) {
    if (!there) throw Exception(Code::invalid_config, file.string() + ": live collection is off until it says " + key);
  };
  need(!policy.terms.empty(), "terms");
  need(!policy.allowed_by.empty(), "allowed_by");
  need(policy.requests_per_minute > 0, "requests_per_minute (above 0)");
  need(policy.retention_days > 0, "retention_days (above 0)");
  return policy;
}

}  // namespace reeltag::collect
