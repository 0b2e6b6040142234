#include <algorithm>
#include <cstdio>
#include <iostream>

#include "commands.hpp"
#include "commands/videos.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/untrusted.hpp"
#include "run/tag_video.hpp"
#include "terminal.hpp"

namespace reeltag::app {
namespace {

std::string segments_text(const std::vector<tag::Segment>& segments) {
  std::string out;
  char text[64];
  for (const auto& s : segments) {
    std::snprintf(text, sizeof text, "%s%.1f-%.1f s", out.empty() ? "" : ", ", s.start, s.end);
    out += text;
  }
  return out;
}

void print_tags(const std::vector<tag::Tag>& tags) {
  std::size_t width = 0;
  for (const auto& t : tags) width = std::max(width, t.hashtag.size() + 1);
  for (const auto& t : tags) {
    char score[32];
    std::snprintf(score, sizeof score, "%3.0f %%", 100 * t.score);
    std::string name = "#" + one_line(t.hashtag, std::string::npos);
    name.resize(std::max(width, name.size()), ' ');
    print("  " + name + "  " + score + "   " + segments_text(t.segments));
  }
}

void print_for_people(const tag::TagResult& t) {
  char text[64];
  std::snprintf(text, sizeof text, " (%.1f s)", t.duration);
  print(one_line(t.video, std::string::npos) + text);
  if (t.unsure) {
    print("  unsure: no hashtag reaches its threshold; the closest are");
    return print_tags(t.guesses);
  }
  print_tags(t.tags);
}

// A video from outside is decoded in a process of its own.
Result<tag::TagResult> tag_outside(tag::Tagger& tagger, const Context& context, const std::string& video) {
  auto file = video == "-" ? ingest::read_standard_input(context.fetch_options())
                           : ingest::fetch_url(context.fetch_options(), video);
  if (!file) return fail(file.error());
  auto decoder = media::Decoder::open_untrusted(std::move(*file), video, context.config().media);
  if (!decoder) return fail(decoder.error());
  return tagger.tag(**decoder, video);
}

}  // namespace

Result<tag::TagResult> tag_video(tag::Tagger& tagger, const Context& context, const std::string& video) {
  if (video == "-" || http::is_url(video)) return tag_outside(tagger, context, video);
  return tagger.tag(video, context.config().media);
}

void run_tag(Context& context, const TagArguments& a) {
  context.start();
  tag::TagConfig config = context.config().tag;
  if (a.top) config.top = *a.top;
  if (a.views) config.views = *a.views;
  config.whole_picture |= a.whole_picture;
  if (config.top < 1 || config.views < 1)
    throw Exception(Code::invalid_argument, "--top and --views must be at least 1");
  const auto videos = videos_of(context, a.files);
  tag::Tagger tagger(find_model(context.home(), a.model), config, a.threshold);
  std::optional<Progress> progress;
  if (videos.size() > 20) progress.emplace("tag", static_cast<std::int64_t>(videos.size()));
  for (const auto& video : videos) {
    stop::throw_if_requested();
    const auto tagged = tag_video(tagger, context, video);
    if (!tagged && tagged.error().code == Code::interrupted) throw Exception(tagged.error());
    if (!tagged) {
      context.item_failed(video, tagged.error());
    } else if (context.json) {
      print(tag::to_json(*tagged));
    } else {
      print_for_people(*tagged);
    }
    if (progress) progress->advance();
  }
}

}  // namespace reeltag::app
