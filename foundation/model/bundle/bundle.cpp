#include "reeltag/model/bundle.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "head.hpp"
#include "reeltag/base/control_characters.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/model/image_encoder.hpp"

namespace reeltag::model {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int kFormat = 3;                   // 1: no blocks, no calibration; 2: other names for the image encoder
constexpr std::int64_t kMaxText = 16 << 20;  // bytes of bundle.json, recipe.yaml, card.md
constexpr std::size_t kMaxName = 1000;       // bytes of a hashtag or a model's name
constexpr int kMaxImageFrames = 1024;        // of a view

[[noreturn]] void corrupt(const fs::path& folder, const std::string& why) {
  throw Exception(Code::corrupt, "bundle " + folder.string() + ": " + why);
}

json to_json(const Scoring& c) {
  json out{{"thresholds", c.thresholds}};
  if (!c.scale.empty()) out["calibration"] = {{"scale", c.scale}, {"shift", c.shift}};
  return out;
}

Scoring scoring_from(const json& j) {
  Scoring c{.scale = {}, .shift = {}, .thresholds = j.at("thresholds").get<std::vector<double>>()};
  if (const auto it = j.find("calibration"); it != j.end()) {
    c.scale = it->at("scale").get<std::vector<double>>();
    c.shift = it->at("shift").get<std::vector<double>>();
  }
  return c;
}

json header(const Bundle& b) {
  json out = to_json(b.scoring);
  out.update({{"format", kFormat},
              {"name", b.name},
              {"multi_label", b.multi_label},
              {"vocabulary", b.vocabulary},
              {"blocks", b.blocks},
              {"trained", json::parse(b.trained, nullptr, false)}});
  if (b.needs_image_encoder()) {
    const auto source = lite0();
    out["image_encoder"] = {{"package", source.package},
                            {"version", source.version},
                            {"file", source.file},
                            {"sha256", source.sha256},
                            {"frames", b.image_frames}};
  }
  if (b.without_image_encoder) out["without_image_encoder"] = to_json(*b.without_image_encoder);
  return out;
}

void check(const fs::path& folder, const Scoring& c, std::size_t classes) {
  if (c.thresholds.size() != classes) corrupt(folder, "thresholds and vocabulary differ in number");
  if (c.scale.size() != c.shift.size() || (!c.scale.empty() && c.scale.size() != classes))
    corrupt(folder, "calibration and vocabulary differ in number");
  for (const double t : c.thresholds) {
    if (!(t >= 0.0 && t <= 1.0)) corrupt(folder, "a threshold is not between 0 and 1");
  }
  for (std::size_t i = 0; i < c.scale.size(); ++i) {
    if (!(c.scale[i] > 0.0 && std::isfinite(c.scale[i]) && std::isfinite(c.shift[i])))
      corrupt(folder, "a calibration is not a positive scale and a finite shift");
  }
}

// What other people wrote is shown on terminals and pages.
void check_name(const fs::path& folder, const std::string& name) {
  if (name.empty() || name.size() > kMaxName || without_controls(name) != name)
    corrupt(folder, "a hashtag or the model's name is empty, longer than 1000 bytes or has control characters");
}

void check(const fs::path& folder, const Bundle& b) {
  const auto classes = static_cast<std::size_t>(b.recipe.model.num_classes);
  if (b.vocabulary.empty()) corrupt(folder, "the vocabulary is empty");
  if (b.vocabulary.size() != classes) {
    corrupt(folder,
            std::to_string(b.vocabulary.size()) + " hashtags for a net of " + std::to_string(classes) + " classes");
  }
  if (b.blocks.empty()) corrupt(folder, "it names no block of features");
  if (b.image_frames < 1 || b.image_frames > kMaxImageFrames)
    corrupt(folder, "image_encoder.frames must be 1 to " + std::to_string(kMaxImageFrames));
  check_name(folder, b.name);
  for (const auto& hashtag : b.vocabulary) check_name(folder, hashtag);
  check(folder, b.scoring, classes);
  if (b.without_image_encoder) check(folder, *b.without_image_encoder, classes);
}

// A pipe or a device in a bundle would be read for ever.
void check_files(const fs::path& folder) {
  for (const char* name : {"bundle.json", "recipe.yaml", "weights.safetensors", "head.safetensors", "card.md"}) {
    const auto status = fs::status(folder / name);
    if (fs::exists(status) && !fs::is_regular_file(status)) corrupt(folder, std::string(name) + " is no file");
  }
}

// Rejects bundles made with another image encoder, whose features differ.
void check_image_encoder(const fs::path& folder, const json& j) {
  const auto wanted = j.at("image_encoder").at("sha256").get<std::string>();
  if (wanted != lite0().sha256)
    corrupt(folder, "its image encoder (SHA-256 " + wanted + ") is not one that this reeltag knows");
}

// Format 2 used other names for the image encoder and its blocks; they are recognised by their form.
void rename_image_encoder(json& j) {
  json renamed = json::object();
  for (auto& [key, value] : j.items()) {
    const bool encoder = value.is_object() && value.contains("package") && value.contains("sha256");
    renamed[encoder ? "image_encoder" : key.starts_with("without_") ? "without_image_encoder" : key] = std::move(value);
  }
  if (const auto blocks = renamed.find("blocks"); blocks != renamed.end() && blocks->is_array()) {
    for (auto& block : *blocks) {
      const auto name = block.is_string() ? block.get<std::string>() : std::string();
      if (name.ends_with(".mean")) block = kImageMean;
      if (name.ends_with(".change")) block = kImageDelta;
    }
  }
  j = std::move(renamed);
}

}  // namespace

bool Bundle::needs(const char* block) const { return std::find(blocks.begin(), blocks.end(), block) != blocks.end(); }

void save_bundle(const fs::path& folder, const Bundle& bundle, const NamedArrays* net, Precision precision,
                 const Head* head) {
  check(folder, bundle);
  if (fs::exists(folder / "bundle.json"))
    throw Exception(Code::already_exists, folder.string() + " holds a bundle already");
  if ((net == nullptr && (bundle.needs(kMvitBlock) || bundle.without_image_encoder)) ||
      (head == nullptr) != bundle.plain())
    throw Exception(Code::invalid_argument, folder.string() + ": a bundle's net and head must be those of its blocks");
  fs::create_directories(folder);
  if (net != nullptr) write_weights(folder / "weights.safetensors", *net, precision);
  if (head != nullptr) write_weights(folder / "head.safetensors", arrays_of(*head), precision);
  write_file(folder / "recipe.yaml", to_yaml(bundle.recipe));
  if (!bundle.card.empty()) write_file(folder / "card.md", bundle.card);
  write_file(folder / "bundle.json", header(bundle).dump(1) + "\n");  // last: without it there is no bundle
}

Bundle load_bundle(const fs::path& folder) {
  check_files(folder);
  const auto text = read_file(folder / "bundle.json", kMaxText);
  if (!text) {
    throw Exception(Code::not_found, "no model in " + folder.string() + " (" + text.error().message + ")");
  }
  json j = value_or_throw(parse_json(*text, (folder / "bundle.json").string()));
  Bundle b;
  try {
    const auto format = j.at("format").get<int>();
    if (format > kFormat) corrupt(folder, "written by a newer reeltag (format " + std::to_string(format) + ")");
    if (format < kFormat) rename_image_encoder(j);
    b.name = j.at("name").get<std::string>();
    b.multi_label = j.at("multi_label").get<bool>();
    b.vocabulary = j.at("vocabulary").get<std::vector<std::string>>();
    b.scoring = scoring_from(j);
    b.blocks = j.value("blocks", b.blocks);
    if (b.needs_image_encoder()) {
      check_image_encoder(folder, j);
      b.image_frames = j.at("image_encoder").at("frames").get<int>();
    }
    if (const auto it = j.find("without_image_encoder"); it != j.end()) b.without_image_encoder = scoring_from(*it);
    b.trained = j.value("trained", json::object()).dump();
  } catch (const json::exception& e) {
    corrupt(folder, std::string("bundle.json is incomplete: ") + e.what());
  }
  b.recipe = load_recipe((folder / "recipe.yaml").string());
  if (const auto card = read_file(folder / "card.md", kMaxText)) b.card = *card;
  check(folder, b);
  return b;
}

Weights load_net_weights(const fs::path& folder, const Bundle& bundle) {
  if (!bundle.needs(kMvitBlock) && !bundle.without_image_encoder)
    throw Exception(Code::unsupported,
                    "model " + bundle.name + " has no MViT: its head reads the image encoder's features");
  return read_weights(folder / "weights.safetensors");
}

}  // namespace reeltag::model
