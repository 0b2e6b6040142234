// Who allowed a source to be asked, and how: HOME/policies/SOURCE.yaml. Without it nothing is asked. Values.
//
//   const Policy policy = read_policy(policy_file(home, "research"));
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "reeltag/base/config.hpp"

namespace reeltag::collect {

struct Policy {
  std::string terms;       // the terms that hold: an address, or their name and date
  std::string allowed_by;  // who decided that this source may be asked, and when
  double requests_per_minute = 0.0;
  int retention_days = 0;  // how long what is collected may be kept
};
template <class V>
void visit(V& v, Policy& p) {
  v("terms", p.terms, "The terms that hold: an address, or their name and date");
  v("allowed_by", p.allowed_by, "Who allowed this collection, and when");
  v("requests_per_minute", p.requests_per_minute, "Most requests a minute", config::Range{0.0, 1e6});
  v("retention_days", p.retention_days, "How many days what is collected may be kept", config::Range{0, 36500});
}

std::filesystem::path policy_file(const std::filesystem::path& home, std::string_view source);

// Throws invalid_config for a file that is missing, or leaves one of the four out.
Policy read_policy(const std::filesystem::path& file);

}  // namespace reeltag::collect
