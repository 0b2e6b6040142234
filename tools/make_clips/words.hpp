// The words for what is seen: names of classes, hashtags, captions. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reeltag/make_clips.hpp"

namespace reeltag::make_clips {

// What all clips of a class have in common; the rest is free.
struct ClassDef {
  std::string name;
  std::optional<Shape> shape;
  std::optional<Motion> motion;
};

// All classes of a set; the first ones are the most telling.
std::vector<ClassDef> classes_of(Set set);
int default_classes(Set set);

// A sentence: "a red star spins clockwise over stripes".
std::string caption_of(const Clip& clip);

// The true hashtags, class first.
std::vector<std::string> truth_of(const Clip& clip, Set set);

// Words to show on frames, for any n >= 0.
std::string screen_words(int n);

inline constexpr int kGenericTags = 6;
std::string_view generic_tag(int i);

}  // namespace reeltag::make_clips
