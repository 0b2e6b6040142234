// The models that tag, on libtorch.
// Tagger: one thread at a time. load_model(): any thread; it gives a Model with a thread of its own for the net, which
// ends with it. Both throw Exception for a bundle that is missing or contradicts itself.
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
  // threshold replaces the model's own thresholds; 0 shows all hashtags.
  Tagger(const std::filesystem::path& bundle, const TagConfig& config, std::optional<double> threshold = {});
  ~Tagger();
  Tagger(Tagger&&) noexcept;

  Result<TagResult> tag(const std::filesystem::path& video, const media::Limits& limits);
  // The same for an open video; name is what the result calls it.
  Result<TagResult> tag(media::Decoder& video, const std::string& name);
  [[nodiscard]] const std::string& model() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::shared_ptr<Model> load_model(const std::filesystem::path& bundle, const TagConfig& config);

}  // namespace reeltag::tag
