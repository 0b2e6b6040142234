#include <nlohmann/json.hpp>

#include "reeltag/registry.hpp"

namespace reeltag::registry {

using nlohmann::ordered_json;

ordered_json to_json(const Version& v) {
  ordered_json out{{"version", to_string(v.id)}, {"aliases", v.aliases}, {"folder", v.folder.string()}};
  if (!v.fault.empty()) {
    out["error"] = {{"code", code_name(Code::corrupt)}, {"message", v.fault}};
    return out;
  }
  ordered_json files = ordered_json::array();
  for (const auto& f : v.files) files.push_back({{"name", f.name}, {"bytes", f.bytes}, {"sha256", f.sha256}});
  out.update({{"digest", v.digest},
              {"by", v.by},
              {"at", v.at},
              {"source", v.source},
              {"bundle", v.bundle},
              {"run", v.run},
              {"dataset", v.dataset},
              {"hashtags", v.hashtags},
              {"figures", ordered_json::parse(v.figures)},
              {"files", files}});
  return out;
}

ordered_json to_json(const Change& c) {
  ordered_json out{{"n", c.number}, {"act", act_name(c.act)}, {"version", c.version}};
  if (c.act == Act::promote || c.act == Act::rollback) {
    out["alias"] = c.alias;
    out["from"] = c.from;
  }
  if (c.act == Act::evaluate) out["figures"] = ordered_json::parse(c.figures);
  out.update({{"by", c.by}, {"at", c.at}});
  if (!c.why.empty()) out["why"] = c.why;
  return out;
}

}  // namespace reeltag::registry
