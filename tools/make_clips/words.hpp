// Names of classes, hashtags and captions for the content of clips. Functions, thread-safe. No failures.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/make_clips.hpp"

namespace reeltag::make_clips {

// The properties shared by all clips of a class; the others vary.
struct ClassDef {
  std::string name;
  std::optional<Shape> shape;
  std::optional<Motion> motion;
};

// All classes of a set, the most distinctive first.
std::vector<ClassDef> classes_of(Set set);
int default_classes(Set set);

// A sentence: "a red star spins clockwise over stripes".
std::string caption_of(const Clip& clip);

// The true hashtags, class first.
std::vector<std::string> truth_of(const Clip& clip, Set set);

// Text to show on frames, for any n >= 0.
std::string screen_words(int n);

inline constexpr int kGenericTags = 6;
std::string_view generic_tag(int i);

}  // namespace reeltag::make_clips
