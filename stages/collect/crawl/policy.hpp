// Reads HOME/policies/SOURCE.yaml: who allowed requests to a source, and at what rate. Without it no request is sent.
// Plain values, any thread.
//
//   const Policy policy = read_policy(policy_file(home, "research"));
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "reeltag/base/config.hpp"

namespace reeltag::collect {

struct Policy {
  std::string terms;       // the terms in force: an address, or their name and date
  std::string allowed_by;  // who decided that this source may be collected, and when
  double requests_per_minute = 0.0;
  int retention_days = 0;  // how long collected data may be kept
};
template <class V>
void visit(V& v, Policy& p) {
  v("terms", p.terms, "The terms that hold: an address, or their name and date");
  v("allowed_by", p.allowed_by, "Who allowed this collection, and when");
  v("requests_per_minute", p.requests_per_minute, "Most requests a minute", config::Range{0.0, 1e6});
  v("retention_days", p.retention_days, "How many days what is collected may be kept", config::Range{0, 36500});
}

std::filesystem::path policy_file(const std::filesystem::path& home, std::string_view source);

// Throws invalid_config for a file that is missing or lacks one of the four keys.
Policy read_policy(const std::filesystem::path& file);

}  // namespace reeltag::collect
