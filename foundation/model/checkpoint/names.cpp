#include "names.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace reeltag::model {
namespace {

using Replacements = std::vector<std::pair<std::string_view, std::string_view>>;

// Renaming rules: replaces the first matching prefix in `beginnings`, and every match in `insides`.
struct Rules {
  Replacements beginnings, insides;
};

const Rules& rules_of(Naming naming) {
  static const Rules slowfast{{{"pos_embed_xy", "pos_embed_spatial"}}, {}};
  static const Rules torchvision{{{"conv_proj.", "patch_embed.proj."},
                                  {"pos_encoding.class_token", "cls_token"},
                                  {"pos_encoding.spatial_pos", "pos_embed_spatial"},
                                  {"pos_encoding.temporal_pos", "pos_embed_temporal"},
                                  {"pos_encoding.class_pos", "pos_embed_class"},
                                  {"head.1.", "head.projection."}},
                                 {{".attn.project.0.", ".attn.proj."},
                                  {".pool_q.pool.", ".pool_q."},
                                  {".pool_k.pool.", ".pool_k."},
                                  {".pool_v.pool.", ".pool_v."},
                                  {".pool_q.norm_act.0.", ".norm_q."},
                                  {".pool_k.norm_act.0.", ".norm_k."},
                                  {".pool_v.norm_act.0.", ".norm_v."},
                                  {".mlp.0.", ".mlp.fc1."},
                                  {".mlp.3.", ".mlp.fc2."},
                                  {".project.", ".proj."}}};
  static const Rules timm{{{"head.fc.", "head.projection."}},
                          {{".shortcut_proj_attn.", ".proj."}, {".shortcut_proj_mlp.", ".proj."}}};
  static const Rules pytorchvideo{{{"patch_embed.patch_model.", "patch_embed.proj."},
                                   {"cls_positional_encoding.", ""},
                                   {"norm_patch_embed.", "norm_stem."},
                                   {"norm_embed.", "norm."},
                                   {"head.proj.", "head.projection."}},
                                  {}};
  switch (naming) {
    case Naming::torchvision:
      return torchvision;
    case Naming::timm:
      return timm;
    case Naming::pytorchvideo:
      return pytorchvideo;
    case Naming::slowfast:
      break;
  }
  return slowfast;
}

Naming naming_of(const std::vector<std::string>& names) {
  const auto any = [&](std::string_view beginning) {
    return std::any_of(names.begin(), names.end(), [&](const auto& n) { return n.starts_with(beginning); });
  };
  if (any("conv_proj.")) return Naming::torchvision;
  if (any("stages.0.blocks.")) return Naming::timm;
  if (any("patch_embed.patch_model.")) return Naming::pytorchvideo;
  return Naming::slowfast;
}

// timm counts blocks within stages: "stages.1.blocks.0." is the block after the last one of stage 0.
class StageNumbers {
 public:
  explicit StageNumbers(const std::vector<std::string>& names) {
    for (const auto& name : names) {
      if (const auto p = parse(name); p.ok) counts_[p.stage] = std::max(counts_[p.stage], p.block + 1);
    }
  }
  [[nodiscard]] std::string flat(const std::string& name) const {
    const BlockPosition p = parse(name);
    if (!p.ok) return name;
    int before = 0;
    for (const auto& [stage, count] : counts_) before += stage < p.stage ? count : 0;
    return "blocks." + std::to_string(before + p.block) + name.substr(p.rest);
  }

 private:
  struct BlockPosition {
    bool ok = false;
    int stage = 0, block = 0;
    std::size_t rest = 0;  // end of the parsed prefix
  };

  // Parses a number of up to three digits at `at` and advances past it.
  static bool number(const std::string& name, std::size_t& at, int& out) {
    const std::size_t begin = at;
    out = 0;
    while (at < name.size() && at < begin + 3 && name[at] >= '0' && name[at] <= '9')
      out = out * 10 + (name[at++] - '0');
    return at > begin;
  }
  static BlockPosition parse(const std::string& name) {
    BlockPosition p;
    if (!name.starts_with("stages.")) return p;
    std::size_t at = 7;
    if (!number(name, at, p.stage) || name.compare(at, 8, ".blocks.") != 0) return p;
    at += 8;
    p.ok = number(name, at, p.block) && at < name.size() && name[at] == '.';
    p.rest = at;
    return p;
  }

  std::map<int, int> counts_;
};

std::string apply(const Rules& rules, std::string name) {
  for (const auto& [from, to] : rules.beginnings) {
    if (name.starts_with(from)) return std::string(to) + name.substr(from.size());
  }
  for (const auto& [from, to] : rules.insides) {
    if (const auto at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  }
  return name;
}

}  // namespace

Translation translate(const std::vector<std::string>& names) {
  Translation out{.naming = naming_of(names), .names = {}};
  const StageNumbers stages(names);
  for (const auto& name : names) {
    // pytorchvideo's main branch registers the pooling layers twice.
    const bool repeats = out.naming == Naming::pytorchvideo && name.find("._attention_pool_") != std::string::npos;
    const std::string flat = out.naming == Naming::timm ? stages.flat(name) : name;
    out.names.push_back(repeats ? std::string() : apply(rules_of(out.naming), flat));
  }
  return out;
}

}  // namespace reeltag::model
