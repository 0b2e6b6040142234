#include "words.hpp"

#include <algorithm>
#include <array>

namespace reeltag::make_clips {
namespace {

using Names = std::string_view;

constexpr std::array<Names, kShapes> kShapeNames{"circle", "square", "triangle", "star",   "ring",
                                                 "cross",  "heart",  "moon",     "hexagon"};
constexpr std::array<Names, kColors> kColorNames{"red",       "orange", "yellow", "green",
                                                 "turquoise", "blue",   "purple", "pink"};

struct MotionWords {
  Names tag, adjective, verb;
};
constexpr std::array<MotionWords, kMotions> kMotionWords{
    {{"movingleft", "leftbound", "slides to the left"},
     {"movingright", "rightbound", "slides to the right"},
     {"movingup", "rising", "rises"},
     {"movingdown", "falling", "falls"},
     {"zoomin", "growing", "grows"},
     {"zoomout", "shrinking", "shrinks"},
     {"clockwise", "spinning", "spins clockwise"},
     {"counterclockwise", "backspinning", "spins counter-clockwise"},
     {"bouncing", "bouncing", "bounces"},
     {"still", "resting", "stands still"}}};

struct PlaceWords {
  Names tag, phrase;
};
constexpr std::array<PlaceWords, kBackdrops> kPlaces{{{"gradient", "over a soft gradient"},
                                                      {"stripes", "over stripes"},
                                                      {"checks", "over a chequered floor"},
                                                      {"dots", "over dots"},
                                                      {"noise", "over a cloudy pattern"},
                                                      {"waves", "over wavy lines"},
                                                      {"night", "in the night sky"},
                                                      {"sea", "above the sea"},
                                                      {"hills", "above green hills"},
                                                      {"sunset", "at sunset"},
                                                      {"city", "above a city at dusk"},
                                                      {"snow", "in falling snow"},
                                                      {"rain", "in the rain"},
                                                      {"meadow", "above a meadow of flowers"}}};

constexpr std::array<Names, 8> kScreenWords{"WOW",     "PART 2",  "DAY 7",  "HELLO!",
                                            "WAIT...", "NO WAY?", "TOP 10", "OH YES!"};
constexpr std::array<Names, kGenericTags> kGeneric{"fyp", "foryou", "viral", "foryoupage", "trending", "fyp\u30b7"};

template <class E>
std::size_t at(E e) {
  return static_cast<std::size_t>(e);
}

ClassDef mixed_class(Shape shape, Motion motion) {
  return {std::string(kMotionWords[at(motion)].adjective) + std::string(kShapeNames[at(shape)]), shape, motion};
}

// First twelve classes in which shapes and motions both recur, so that neither alone determines the class; then all
// other pairs.
std::vector<ClassDef> mixed_classes() {
  using S = Shape;
  using M = Motion;
  std::vector<ClassDef> classes;
  constexpr std::array<std::pair<S, M>, 12> kFirst{{{S::star, M::clockwise},
                                                    {S::circle, M::bounce},
                                                    {S::heart, M::up},
                                                    {S::star, M::down},
                                                    {S::ring, M::zoom_in},
                                                    {S::square, M::right},
                                                    {S::heart, M::bounce},
                                                    {S::moon, M::still},
                                                    {S::cross, M::clockwise},
                                                    {S::circle, M::down},
                                                    {S::ring, M::zoom_out},
                                                    {S::square, M::left}}};
  for (const auto& [shape, motion] : kFirst) classes.push_back(mixed_class(shape, motion));
  for (int k = 0; k < kShapes * kMotions; ++k) {
    auto def =
        mixed_class(static_cast<S>(k % kShapes), static_cast<M>(k % kMotions));  // 9 and 10 are coprime: all pairs
    const auto same = [&](const ClassDef& other) { return other.name == def.name; };
    if (std::none_of(classes.begin(), classes.end(), same)) classes.push_back(std::move(def));
  }
  return classes;
}

}  // namespace

std::vector<ClassDef> classes_of(Set set) {
  if (set == Set::mixed) return mixed_classes();
  std::vector<ClassDef> classes;
  if (set == Set::motion) {
    for (int m = 0; m < kMotions; ++m) {
      classes.push_back({std::string(kMotionWords[at(m)].tag), std::nullopt, static_cast<Motion>(m)});
    }
  } else {
    for (int s = 0; s < kShapes; ++s) {
      classes.push_back({std::string(kShapeNames[at(s)]), static_cast<Shape>(s), std::nullopt});
    }
  }
  return classes;
}

int default_classes(Set set) { return set == Set::motion ? kMotions : set == Set::appearance ? kShapes : 12; }

std::string caption_of(const Clip& clip) {
  const auto color = kColorNames[at(clip.appearance.color)];
  std::string text = color == "orange" ? "an " : "a ";
  text.append(color).append(" ").append(kShapeNames[at(clip.appearance.shape)]).append(" ");
  if (clip.motion != Motion::still && clip.appearance.speed > 1.15) text += "quickly ";
  if (clip.motion != Motion::still && clip.appearance.speed < 0.87) text += "slowly ";
  text.append(kMotionWords[at(clip.motion)].verb).append(" ").append(kPlaces[at(clip.appearance.backdrop)].phrase);
  if (!clip.appearance.words.empty()) text.append(" with the words ").append(clip.appearance.words);
  return text;
}

std::vector<std::string> truth_of(const Clip& clip, Set set) {
  std::vector<std::string> tags{clip.class_name};
  if (set != Set::appearance) tags.emplace_back(kShapeNames[at(clip.appearance.shape)]);
  tags.emplace_back(kColorNames[at(clip.appearance.color)]);
  tags.emplace_back(kPlaces[at(clip.appearance.backdrop)].tag);
  if (set != Set::motion) tags.emplace_back(kMotionWords[at(clip.motion)].tag);
  if (!clip.appearance.words.empty()) tags.emplace_back("text");
  return tags;
}

std::string screen_words(int n) { return std::string(kScreenWords[at(n) % kScreenWords.size()]); }

std::string_view generic_tag(int i) { return kGeneric.at(at(i)); }

}  // namespace reeltag::make_clips
