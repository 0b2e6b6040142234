#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "reeltag/make_clips.hpp"

namespace reeltag::make_clips {

std::string manifest_line(const Clip& clip) {
  nlohmann::ordered_json line;
  line["id"] = clip.id;
  line["file"] = clip.file;
  line["group"] = clip.group;
  line["hashtags"] = clip.hashtags;
  line["caption"] = clip.caption;
  line["category"] = clip.class_name;
  line["author"] = clip.author;
  line["created"] = clip.created;
  line["truth"] = clip.truth;
  return line.dump();
}

int write(const Options& options, const std::filesystem::path& out, const std::function<void(int, int)>& done) {
  const auto manifest = out / "manifest.jsonl";
  if (std::filesystem::exists(manifest)) {
    throw Exception(Code::already_exists, manifest.string() + " exists: name another folder or remove this one");
  }
  const auto clips = plan(options);
  std::set<std::string> classes;
  for (const auto& clip : clips) classes.insert(clip.class_name);
  for (const auto& name : classes) {
    std::error_code error;
    std::filesystem::create_directories(out / name, error);
    if (error)
      throw Exception(Code::permission_denied, "cannot create " + (out / name).string() + ": " + error.message());
  }
  std::string lines;
  int written = 0;
  for (const auto& clip : clips) {
    value_or_throw(media::encode_mp4(render(clip, options), options.fps, out / clip.file));
    lines += manifest_line(clip) + "\n";
    if (done) done(++written, static_cast<int>(clips.size()));
  }
  std::ofstream file(manifest, std::ios::binary);
  if (!(file << lines).flush()) throw Exception(Code::unavailable, "cannot write " + manifest.string());
  return static_cast<int>(clips.size());
}

Set parse_set(std::string_view name) {
  if (name == "motion") return Set::motion;
  if (name == "mixed") return Set::mixed;
  if (name == "look") return Set::appearance;
  throw Exception(Code::invalid_argument, "--set wants motion, mixed or look, not " + std::string(name));
}

Drift parse_drift(std::string_view name) {
  if (name == "none") return Drift::none;
  if (name == "labels") return Drift::labels;
  if (name == "mix") return Drift::mix;
  throw Exception(Code::invalid_argument, "--drift wants none, labels or mix, not " + std::string(name));
}

}  // namespace reeltag::make_clips
