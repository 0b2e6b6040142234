#include "notes.hpp"

#include <algorithm>
#include <cstdio>

namespace reeltag::evaluate {
namespace {

std::string place_note(const Evaluation& e) {
  const bool single = e.label_mode == dataset::LabelMode::single;
  const auto one_frame = std::find_if(e.time.begin(), e.time.end(),
                                      [](const TimeFigures& t) { return t.order == model::TimeOrder::repeated; });
  if (one_frame == e.time.end()) return {};
  const Figure& own = single ? e.metrics.top1 : e.metrics.map;
  const Figure& alone = single ? one_frame->top1 : one_frame->map;
  const double chance = single ? e.metrics.chance_top1 : e.metrics.chance_map;
  if (!(own.low > chance && alone.value >= own.low)) return {};  // also where a figure is NaN
  char text[400];
  std::snprintf(
      text, sizeof text,
      "One frame alone scores %s %.1f %%, within the interval of %.1f %% (%.1f to %.1f): this may be the place, not "
      "the action. Test on videos from other places before you trust it.",
      single ? "top-1" : "mAP", 100 * alone.value, 100 * own.value, 100 * own.low, 100 * own.high);
  return text;
}

std::string order_note(const model::Bundle& bundle) {
  const auto has = [&](const char* block) {
    return std::find(bundle.blocks.begin(), bundle.blocks.end(), block) != bundle.blocks.end();
  };
  if (has(model::kMvitBlock)) {
    const bool one_frame = bundle.recipe.is_image() || bundle.recipe.data.num_frames == 1;
    return one_frame ? "This model looks at single frames: it cannot know their order." : "";
  }
  if (has(model::kImageDelta)) {
    return "This model cannot tell a video from its reverse: its features are averages over frames and over the "
           "changes "
           "between neighbours. Sitting down and standing up are the same to it.";
  }
  return "This model cannot know the order of a video's frames: its features are averages over them.";
}

}  // namespace

std::vector<std::string> notes_on(const Evaluation& e, const model::Bundle& bundle) {
  std::vector<std::string> notes;
  for (auto& note : {place_note(e), order_note(bundle)}) {
    if (!note.empty()) notes.push_back(note);
  }
  return notes;
}

}  // namespace reeltag::evaluate
