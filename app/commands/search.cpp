#include "commands.hpp"

#include <algorithm>
#include <cstdio>

#include "reeltag/base/hash.hpp"
#include "terminal.hpp"

namespace reeltag::app {
namespace {

constexpr std::size_t kSearchColumns = 76;  // of a caption
constexpr std::size_t kIdDigits = 64;       // of a video in the catalog

std::string words_about(const index::Hit& hit) {
  std::string out;
  for (const auto why : hit.why) out += (out.empty() ? "" : ", ") + std::string(index::why_name(why));
  for (std::size_t i = 0; i < hit.named.size(); ++i) {
    char score[32];
    std::snprintf(score, sizeof score, " %.0f %%", 100 * hit.named[i].score);
    out += (i == 0 ? " #" : ", #") + one_line(hit.named[i].hashtag, kSearchColumns) + score;
  }
  std::string segments;
  for (const auto& s : hit.segments) {
    char text[64];
    std::snprintf(text, sizeof text, "%s%.1f-%.1f s", segments.empty() ? "   " : ", ", s.start, s.end);
    segments += text;
  }
  return out + segments;
}

void print_hits(const std::string& query, const std::vector<index::Hit>& hits) {
  if (hits.empty()) return print("nothing found for: " + one_line(query, kSearchColumns));
  for (const auto& hit : hits) {
    char score[32];
    std::snprintf(score, sizeof score, "%6.2f  ", hit.score);
    print(score + one_line(hit.name.empty() ? hit.video : hit.name, 4096));
    if (!hit.caption.empty()) print("        \"" + one_line(hit.caption, kSearchColumns) + "\"");
    print("        " + words_about(hit));
  }
}

// The index knows videos of the catalog by their ids only.
void set_names(const Context& context, std::vector<index::Hit>& hits) {
  const bool any = std::any_of(hits.begin(), hits.end(), [](const auto& hit) { return is_hex(hit.video, kIdDigits); });
  if (!any) return;
  const auto catalog = context.open_catalog();
  for (auto& hit : hits) {
    const auto video = is_hex(hit.video, kIdDigits) ? catalog->videos.get(hit.video) : std::nullopt;
    if (video) hit.name = catalog::file_name_of(*video);
  }
}

}  // namespace

void add_search(CLI::App& app, Context& context) {
  auto* cmd =
      app.add_subcommand("search", "Search videos by words and #hashtags: captions, typed hashtags and predicted ones");
  struct SearchArguments {
    std::string query;
    std::int64_t limit = 10;
  };
  auto a = std::make_shared<SearchArguments>();
  cmd->add_option("query", a->query, "Words and #hashtags in any spelling, as one argument")->required();
  cmd->add_option("--limit", a->limit, "Most results")->check(CLI::Range(1, 100000))->capture_default_str();
  cmd->callback([a, &context] {
    context.start();
    auto hits = context.open_index(index::Missing::refuse)->search(a->query, a->limit);
    set_names(context, hits);
    if (context.json) return print(index::to_json(a->query, hits));
    print_hits(a->query, hits);
  });
}

}  // namespace reeltag::app
