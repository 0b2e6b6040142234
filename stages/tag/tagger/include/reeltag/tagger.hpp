// Models that tag videos.
// Tagger: one thread at a time; owns its net. load_model(): any thread; the returned Model is thread-safe and owns a
// thread for its net, which it joins. Both throw Exception for a missing or inconsistent bundle.
//
//   tag::Tagger tagger("models/starter", {});
//   if (auto tagged = tagger.tag("clip.mp4", {})) std::cout << tag::to_json(*tagged);
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "reeltag/tag.hpp"

namespace reeltag::tag {

class Tagger {
 public:
  // threshold replaces the model's thresholds; 0 shows all hashtags.
  Tagger(const std::filesystem::path& bundle, const TagConfig& config, std::optional<double> threshold = {});
  ~Tagger();
  Tagger(Tagger&&) noexcept;

  Result<TagResult> tag(const std::filesystem::path& video, const media::Limits& limits);
  // The same for an open video; name is the result's `video`.
  Result<TagResult> tag(media::Decoder& video, const std::string& name);
  [[nodiscard]] const std::string& model() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::shared_ptr<Model> load_model(const std::filesystem::path& bundle, const TagConfig& config);

}  // namespace reeltag::tag
