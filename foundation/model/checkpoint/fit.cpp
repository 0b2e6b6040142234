#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <torch/torch.h>

#include "names.hpp"
#include "reeltag/model/checkpoint.hpp"

namespace reeltag::model {
namespace {

using torch::Tensor;

std::vector<std::int64_t> without_ones(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> out;
  for (const auto n : shape) {
    if (n != 1) out.push_back(n);
  }
  return out;
}

// The square root of a square number; 0 for any other.
std::int64_t square_side(std::int64_t n) {
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(n))));
  return side * side == n ? side : 0;
}

bool is_pool(const std::string& name) {
  for (const char* pool : {".pool_q.", ".pool_k.", ".pool_v."}) {
    if (name.find(pool) != std::string::npos) return true;
  }
  return false;
}

// Interpolates [1,rows,C] to `rows`, channel by channel.
Tensor resample_rows(const Tensor& table, std::int64_t rows) {
  return at::upsample_linear1d(table.transpose(1, 2), {rows}, /*align_corners=*/false).transpose(1, 2);
}

// Interpolates [1,side*side,C] to [1,height*width,C], bicubic with a=-0.75.
Tensor resample_square(const Tensor& table, std::int64_t height, std::int64_t width) {
  const std::int64_t side = square_side(table.size(1)), channels = table.size(2);
  const Tensor picture = table.reshape({1, side, side, channels}).permute({0, 3, 1, 2});
  return at::upsample_bicubic2d(picture, {height, width}, /*align_corners=*/false)
      .permute({0, 2, 3, 1})
      .reshape({1, height * width, channels});
}

// The word before most names that a training framework puts there, "module."; empty if there is none.
std::string wrapper_of(const std::vector<std::string>& names) {
  static constexpr std::array kWrappers{
      "_orig_mod.", "module.", "model.",     "net.",       "network.",    "backbone.",    "encoder.",          "trunk.",
      "student.",   "ema.",    "ema_model.", "model_ema.", "module_ema.", "video_model.", "feature_extractor."};
  for (const std::string wrapper : kWrappers) {
    const auto with = std::count_if(names.begin(), names.end(), [&](const auto& n) { return n.starts_with(wrapper); });
    if (2 * static_cast<std::size_t>(with) > names.size()) return wrapper;
  }
  return {};
}

class Fitter {
 public:
  Fitter(const TensorFile& source, const Plan& plan, const FitOptions& options) : plan_(plan), options_(options) {
    if (options.image_init && options.inflate)
      throw Exception(Code::invalid_argument, "image init and inflation exclude each other");
    std::vector<std::string> names;
    for (const auto& [name, tensor] : source.tensors) names.push_back(cleared(name));
    prefix_ = take_off_wrappers(names);
    Translation translation = translate(names);
    naming_ = kNamingNames[static_cast<std::size_t>(translation.naming)];
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& name = translation.names[i];
      if (name.empty()) continue;
      order_.push_back(name);
      source_.insert_or_assign(name, source.tensors[i].second);
    }
  }

  FitResult run() {
    FitResult out;
    out.naming = naming_;
    out.prefix = prefix_;
    for (const auto& p : plan_.parameters) {
      FitLine line{.name = p.name};
      const Tensor fitted = fit(p, line);
      if (fitted.defined())
        out.weights.tensors.emplace_back(p.name, fitted.to(torch::kFloat).reshape(p.shape).contiguous());
      out.report.push_back(line);
    }
    for (const auto& name : order_) {
      if (used_.insert(name).second)
        out.report.push_back({.name = name, .fate = Fate::unused, .from = source_.at(name).sizes().vec()});
    }
    return out;
  }

 private:
  [[nodiscard]] std::string cleared(std::string name) const {
    for (const auto& pattern : options_.clear_names) {
      if (const auto at = name.find(pattern); !pattern.empty() && at != std::string::npos)
        name.erase(at, pattern.size());
    }
    return name;
  }

  [[nodiscard]] std::size_t known(const std::vector<std::string>& names) const {
    std::set<std::string> ours;
    for (const auto& p : plan_.parameters) ours.insert(p.name);
    const auto translated = translate(names).names;
    return static_cast<std::size_t>(
        std::count_if(translated.begin(), translated.end(), [&](const auto& name) { return ours.contains(name); }));
  }

  // Takes wrappers off the names as long as that makes more of them names of the net. Returns what was taken off.
  std::string take_off_wrappers(std::vector<std::string>& names) const {
    std::string prefix, taken_off;
    std::vector<std::string> bare = names;
    auto best = known(names);
    for (auto wrapper = wrapper_of(bare); !wrapper.empty(); wrapper = wrapper_of(bare)) {
      prefix += wrapper;
      for (auto& name : bare) {
        if (name.starts_with(wrapper)) name.erase(0, wrapper.size());
      }
      if (const auto now = known(bare); now > best) {
        best = now;
        names = bare;
        taken_off = prefix;
      }
    }
    return taken_off;
  }

  [[nodiscard]] const Tensor* peek(const std::string& name) const {
    const auto it = source_.find(name);
    return it == source_.end() ? nullptr : &it->second;
  }
  // Returns the source's tensor in float32 and marks it as used.
  Tensor take(const std::string& name) {
    used_.insert(name);
    return source_.at(name).to(torch::kFloat);
  }

  static Tensor as(FitLine& line, Fate fate, const std::string& detail, Tensor tensor) {
    line.fate = fate;
    line.detail = detail;
    return tensor;
  }
  static Tensor missing(FitLine& line, const std::string& why) { return as(line, Fate::missing, why, {}); }

  Tensor fit(const ParameterShape& p, FitLine& line) {
    if (peek(p.name) == nullptr) return from_others(p, line);
    const Tensor found = take(p.name);
    const auto shape = found.sizes().vec();
    if (shape == p.shape) return as(line, Fate::loaded, "", found);
    line.from = shape;
    line.to = p.shape;
    if (without_ones(shape) == without_ones(p.shape)) return as(line, Fate::converted, "reshaped", found);
    if (p.name.find("attn.rel_pos") != std::string::npos) return relative_positions(p, found, line);
    if (p.name == "pos_embed_temporal") return temporal_positions(p, found, line);
    if (p.name == "pos_embed_spatial") return spatial_positions(p, found, line);
    if (p.name == "patch_embed.proj.weight" || is_pool(p.name)) return kernel(p, found, line);
    return missing(line, "another shape");
  }

  // ---- names that the file lacks, built from others ----

  Tensor from_others(const ParameterShape& p, FitLine& line) {
    if (p.name.find(".attn.") != std::string::npos) {
      const Tensor projection = other_projection(p, line);
      if (projection.defined()) return projection;
    }
    if (p.name.starts_with("pos_embed")) {
      const Tensor positions = other_positions(p, line);
      if (positions.defined()) return positions;
    }
    return missing(line, "not in the file");
  }

  // qkv rows are [q; k; v].
  Tensor other_projection(const ParameterShape& p, FitLine& line) {
    const auto at = p.name.find(".attn.") + 6;
    const std::string before = p.name.substr(0, at), part = p.name.substr(at, p.name.find('.', at) - at);
    const std::string after = p.name.substr(at + part.size());
    if (part == "qkv") {
      std::vector<Tensor> parts;
      for (const char* x : {"q", "k", "v"}) {
        const Tensor* t = peek(before + x + after);
        if (t == nullptr || t->dim() != static_cast<std::int64_t>(p.shape.size()) || t->size(0) * 3 != p.shape[0] ||
            t->sizes().slice(1) != at::IntArrayRef(p.shape).slice(1))
          return {};
        parts.push_back(*t);
      }
      for (const char* x : {"q", "k", "v"}) take(before + x + after);
      return as(line, Fate::converted, "joined from q, k, v", torch::cat(parts));
    }
    const auto index = std::string("qkv").find(part);
    const Tensor* fused = part.size() == 1 && index != std::string::npos ? peek(before + "qkv" + after) : nullptr;
    if (fused == nullptr || fused->dim() != static_cast<std::int64_t>(p.shape.size()) ||
        fused->size(0) != 3 * p.shape[0] || fused->sizes().slice(1) != at::IntArrayRef(p.shape).slice(1))
      return {};
    return as(line, Fate::converted, "split from qkv",
              take(before + "qkv" + after).narrow(0, static_cast<std::int64_t>(index) * p.shape[0], p.shape[0]));
  }

  [[nodiscard]] bool source_is_image() const {
    const Tensor* patch = peek("patch_embed.proj.weight");
    return patch != nullptr && patch->dim() == 4;
  }

  Tensor other_positions(const ParameterShape& p, FitLine& line) {
    if (p.name == "pos_embed") return joint_from_separate(p, line);
    const Tensor* joint = peek("pos_embed");
    if (joint == nullptr || !source_is_image() || plan_.recipe.is_image() || joint->dim() != 3 || joint->size(0) != 1 ||
        joint->size(2) != p.shape[2])
      return {};
    return separate_from_image(p, line);
  }

  // Uses an image net's embedding for every frame: its rows become the spatial table, its class row the class
  // embedding, and the temporal table is 0.
  Tensor separate_from_image(const ParameterShape& p, FitLine& line) {
    const std::int64_t first = peek("cls_token") != nullptr ? 1 : 0;
    const std::int64_t patches = peek("pos_embed")->size(1) - first;
    if (patches < 1 || square_side(patches) == 0) return {};
    const std::string how = "from the image's pos_embed";
    if (p.name == "pos_embed_temporal") return as(line, Fate::converted, how + ": zeros", torch::zeros(p.shape));
    if (p.name == "pos_embed_class")
      return first == 0 ? Tensor() : as(line, Fate::converted, how, take("pos_embed").narrow(1, 0, 1));
    Tensor rows = take("pos_embed").narrow(1, first, patches);
    if (patches != p.shape[1]) rows = resample_square(rows, plan_.grid[1], plan_.grid[2]);
    return as(line, Fate::converted, how, rows);
  }

  // Initialises an image net from a video net; with image init only.
  Tensor joint_from_separate(const ParameterShape& p, FitLine& line) {
    const Tensor *spatial = peek("pos_embed_spatial"), *cls = peek("pos_embed_class");
    if (!options_.image_init || !plan_.recipe.is_image() || spatial == nullptr) return {};
    const Tensor joint = cls == nullptr ? *spatial : torch::cat({*cls, *spatial}, 1);
    if (joint.sizes() != at::IntArrayRef(p.shape)) return {};
    used_.insert({"pos_embed_spatial", "pos_embed_class"});
    return as(line, Fate::converted, "from pos_embed_spatial and pos_embed_class", joint);
  }

  // ---- names that the file has in another shape ----

  static Tensor relative_positions(const ParameterShape& p, const Tensor& t, FitLine& line) {
    if (t.dim() != 2 || t.size(0) < 1 || t.size(1) != p.shape[1]) return missing(line, "another head width");
    return as(line, Fate::resampled, "linear", resample_rows(t.unsqueeze(0), p.shape[0]));
  }

  static Tensor temporal_positions(const ParameterShape& p, const Tensor& t, FitLine& line) {
    const Tensor table = t.dim() == 2 ? t.unsqueeze(0) : t;
    if (table.dim() != 3 || table.size(0) != 1 || table.size(1) < 1 || table.size(2) != p.shape[2])
      return missing(line, "another width");
    return as(line, Fate::resampled, "linear", resample_rows(table, p.shape[1]));
  }

  Tensor spatial_positions(const ParameterShape& p, const Tensor& t, FitLine& line) const {
    const Tensor table = t.dim() == 2 ? t.unsqueeze(0) : t;
    if (table.dim() != 3 || table.size(0) != 1 || table.size(2) != p.shape[2]) return missing(line, "another width");
    if (table.size(1) < 1 || square_side(table.size(1)) == 0) return missing(line, "the file's grid is not square");
    return as(line, Fate::resampled, "bicubic", resample_square(table, plan_.grid[1], plan_.grid[2]));
  }

  // Converts convolutions between image and video nets.
  Tensor kernel(const ParameterShape& p, const Tensor& t, FitLine& line) const {
    const bool patch = p.name == "patch_embed.proj.weight";
    if (patch && t.dim() == 5 && p.shape.size() == 4 && options_.image_init) {
      const Tensor summed = t.sum(2);
      return summed.sizes().vec() == p.shape ? as(line, Fate::converted, "summed over time", summed)
                                             : missing(line, "another shape");
    }
    if (p.shape.size() != 5 || t.dim() < 4 || (t.dim() == 5 && t.size(2) != 1)) return missing(line, "another shape");
    const std::int64_t time = p.shape[2];
    const Tensor repeated = (t.dim() == 4 ? t.unsqueeze(2) : t).repeat({1, 1, time, 1, 1});
    if (repeated.sizes().vec() != p.shape) return missing(line, "another shape");
    if (options_.image_init) return as(line, Fate::converted, "repeated along time", repeated);
    // The reference inflates only from four axes to five.
    if (options_.inflate && t.dim() == 4)
      return as(line, Fate::converted, "inflated along time", repeated / static_cast<double>(time));
    return missing(line, "an image's kernel; --image-init or --inflate converts it");
  }

  const Plan& plan_;
  const FitOptions& options_;
  std::string naming_, prefix_;
  std::vector<std::string> order_;  // the source's names, translated
  std::map<std::string, Tensor> source_;
  std::set<std::string> used_;
};

}  // namespace

std::array<int, 5> FitResult::counts() const {
  std::array<int, 5> out{};
  for (const auto& line : report) ++out[static_cast<std::size_t>(line.fate)];
  return out;
}

FitResult fit_weights(const TensorFile& source, const Plan& plan, const FitOptions& options) {
  torch::NoGradGuard no_grad;
  try {
    return Fitter(source, plan, options).run();
  } catch (const c10::Error& e) {
    throw Exception(Code::internal, std::string("libtorch: ") + e.what_without_backtrace());
  }
}

void assign(const FitResult& fitted, const std::vector<std::pair<std::string, at::Tensor>>& parameters) {
  torch::NoGradGuard no_grad;
  std::map<std::string, Tensor> by_name(fitted.weights.tensors.begin(), fitted.weights.tensors.end());
  for (const auto& [name, tensor] : parameters) {
    if (const auto it = by_name.find(name); it != by_name.end()) Tensor(tensor).copy_(it->second);
  }
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string out;
  for (const auto n : shape) out += (out.empty() ? "" : ",") + std::to_string(n);
  return "[" + out + "]";
}

}  // namespace reeltag::model
