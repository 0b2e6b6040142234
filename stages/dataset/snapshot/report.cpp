// Writes report.html of a dataset.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "reeltag/base/base64.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/dataset/stats.hpp"
#include "reeltag/draw/charts.hpp"
#include "reeltag/draw/html.hpp"

namespace reeltag::dataset {

using namespace draw;

namespace {

constexpr int kThumbnail = 160;          // pixels of the shorter side
constexpr int kJpegQuality = 6;          // about 5 kB a picture
constexpr std::size_t kPictures = 24;    // videos shown
constexpr std::size_t kBars = 20;        // hashtags as bars
constexpr std::size_t kMaxCounts = 12;   // rows of hashtags per video; the last includes all higher counts
constexpr std::size_t kCells = 20;       // hashtags of the heat map
constexpr std::size_t kPairs = 20;       // rows of the table of pairs
constexpr std::size_t kMaxRows = 10000;  // of the table of hashtags
constexpr std::size_t kCaption = 140;    // characters

std::string many(std::int64_t n, const std::string& one) { return draw::count(n) + " " + one + (n == 1 ? "" : "s"); }

double share(std::int64_t n, std::int64_t of) {
  return of > 0 ? static_cast<double>(n) / static_cast<double>(of) : 0.0;
}

std::vector<std::int64_t> totals(const Dataset& set) {
  std::vector<std::int64_t> result;
  for (const auto& one : set.support()) result.push_back(one[0] + one[1] + one[2]);
  return result;
}

// The vocabulary by descending support; its own order may be that of a file.
std::vector<std::size_t> ranking(const std::vector<std::int64_t>& support) {
  std::vector<std::size_t> order(support.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return support[a] > support[b]; });
  return order;
}

std::string section(const std::string& title, const std::string& text, const std::string& figures) {
  return "<section><h2>" + title + "</h2><p>" + text + "</p><div class=\"grid\">" + figures + "</div></section>\n";
}

std::string tile(const std::string& name, const std::string& value, const std::string& text) {
  return "<div class=\"tile\"><h3>" + name + "</h3><strong>" + value + "</strong><p>" + text + "</p></div>";
}

std::string header(const Dataset& set) {
  return "<header><p class=\"brand\">reeltag</p><h1>Dataset " + escape(set.id) + "</h1><p class=\"facts\"><span>" +
         many(static_cast<std::int64_t>(set.items.size()), "video") + "</span><span>" +
         many(static_cast<std::int64_t>(set.vocabulary.size()), "hashtag") + "</span><span>" +
         (set.label_mode == LabelMode::single ? "one class a video" : "all hashtags of a video") +
         "</span></p></header>\n";
}

std::string tiles(const Dataset& set, const Stats& s) {
  const auto all = static_cast<std::int64_t>(set.items.size());
  const auto support = totals(set);
  const auto unlabelled = s.per_video.empty() ? 0 : s.per_video[0];
  std::string out = "<div class=\"grid tiles\">";
  for (const auto split : {Split::train, Split::val, Split::test}) {
    const std::array<const char*, 3> what{"Learned from.", "To choose by.", "For the final figures."};
    out += tile(std::string(kSplitNames.at(static_cast<std::size_t>(split))), draw::count(set.count(split)),
                percent(share(set.count(split), all)) + " of the videos. " + what.at(static_cast<std::size_t>(split)));
  }
  const auto [least, most] = std::minmax_element(support.begin(), support.end());
  if (!support.empty())
    out += tile("Support", draw::count(*least) + " to " + draw::count(*most), "Videos of a hashtag.");
  out += tile("Without a hashtag", draw::count(unlabelled),
              percent(share(unlabelled, all)) + " have none of the vocabulary.");
  out += tile("Groups", draw::count(s.groups), "The largest has " + many(s.largest_group, "video") + ".");
  if (s.durations.videos > 0)
    out += tile("Length", fixed(s.durations.total / 3600.0, 2) + "&nbsp;h",
                fixed(s.durations.median, 1) + "&nbsp;s is the median.");
  if (!set.rejected.empty())
    out += tile("Left out", draw::count(static_cast<std::int64_t>(set.rejected.size())),
                "Each is listed in dataset.json.");
  return out + "</div>\n";
}

// Rows "0", "1" ...: the number of videos with that many hashtags.
std::string plot_counts(const std::string& title, const std::vector<std::int64_t>& counts) {
  const auto all = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  std::vector<BarRow> rows;
  for (std::size_t n = 0; n < std::min(counts.size(), kMaxCounts); ++n) {
    const bool last = n + 1 == kMaxCounts && counts.size() > kMaxCounts;
    const auto videos =
        last ? std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(n), counts.end(), std::int64_t{0})
             : counts[n];
    BarRow row;
    row.name = std::to_string(n) + (last ? " or more" : "");
    row.share = share(videos, all);
    row.value = draw::count(videos);
    row.note = row.name + ": " + std::to_string(videos) + " videos";
    rows.push_back(std::move(row));
  }
  return bar_rows(title, "% of the videos", rows);
}

std::string plot_support(const Dataset& set) {
  const auto support = totals(set);
  const auto order = ranking(support);
  std::vector<BarRow> rows;
  for (const auto i : order) {
    if (rows.size() == kBars) break;
    BarRow row;
    row.name = "#" + set.vocabulary[i];
    row.share = share(support[i], static_cast<std::int64_t>(set.items.size()));
    row.value = draw::count(support[i]);
    row.note = row.name + ": " + std::to_string(support[i]) + " videos";
    rows.push_back(std::move(row));
  }
  Chart chart{.title = "Videos of each hashtag, by rank",
              .x = {.label = "Rank", .low = 1, .high = std::max(2.0, static_cast<double>(order.size()))},
              .y = {.label = "Videos", .high = order.empty() ? 1.0 : static_cast<double>(support[order.front()])},
              .series = {}};
  chart.x.log = order.size() > kBars;
  Series all{.name = "all", .points = {}};
  for (std::size_t r = 0; r < order.size(); ++r)
    all.points.emplace_back(static_cast<double>(r + 1), static_cast<double>(support[order[r]]));
  chart.series.push_back(std::move(all));
  return bar_rows("The most frequent", "% of the videos", rows) + line_chart(chart);
}

std::string support_table(const Dataset& set) {
  std::string out = "<details><summary>All " + many(static_cast<std::int64_t>(set.vocabulary.size()), "hashtag") +
                    " as a table</summary><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>Hashtag</th>"
                    "<th class=\"n\">train</th><th class=\"n\">val</th><th class=\"n\">test</th></tr></thead><tbody>";
  const auto support = set.support();
  for (std::size_t i = 0; i < std::min(support.size(), kMaxRows); ++i) {
    out += "<tr><td>#" + escape(set.vocabulary[i]) + "</td>";
    for (const auto n : support[i]) out += "<td class=\"n\">" + draw::count(n) + "</td>";
    out += "</tr>";
  }
  return out + "</tbody></table></div></details>\n";
}

std::string plot_together(const Dataset& set, const Stats& s) {
  auto order = ranking(totals(set));
  order.resize(std::min(order.size(), kCells));
  std::vector<int> cell(set.vocabulary.size(), -1);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < order.size(); ++i) {
    cell[order[i]] = static_cast<int>(i);
    names.push_back("#" + set.vocabulary[order[i]]);
  }
  std::vector<std::vector<std::int64_t>> counts(names.size(), std::vector<std::int64_t>(names.size()));
  for (const auto& item : set.items) {
    for (const int a : item.labels) {
      for (const int b : item.labels) {
        const int row = cell[static_cast<std::size_t>(a)], column = cell[static_cast<std::size_t>(b)];
        if (row >= 0 && column >= 0) ++counts[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
      }
    }
  }
  std::string table =
      "<figure><figcaption>Pairs furthest above chance</figcaption><div class=\"scroll\" "
      "tabindex=\"0\"><table><thead><tr>"
      "<th>Hashtags</th><th class=\"n\">Videos</th><th class=\"n\">Times chance</th></tr></thead><tbody>";
  for (std::size_t i = 0; i < std::min(s.together.size(), kPairs); ++i) {
    const auto& t = s.together[i];
    table += "<tr><td>#" + escape(set.vocabulary[static_cast<std::size_t>(t.a)]) + " and #" +
             escape(set.vocabulary[static_cast<std::size_t>(t.b)]) + "</td><td class=\"n\">" + draw::count(t.videos) +
             "</td><td class=\"n\">" + fixed(t.lift, 1) + "</td></tr>";
  }
  const HeatWords words{.rows = "Of its videos", .columns = "have also", .joint = "and", .diagonal_is_good = false};
  return heat_map("The most frequent hashtags beside each other", words, names, counts) + table +
         "</tbody></table></div></figure>\n";
}

std::string together_section(const Dataset& set, const Stats& s) {
  if (s.together.empty()) return "";
  return section(
      "What stands together",
      "Each row: how many of its videos have the hashtag of the column too. Pairs that nearly always stand together "
      "cannot be told apart by learning.",
      plot_together(set, s));
}

std::string durations_section(const Stats& s) {
  const auto& d = s.durations;
  if (d.videos == 0) return "";
  std::vector<double> heights;
  for (const auto n : d.bins) heights.push_back(share(n, d.videos));
  const Chart chart{
      .title = "Length of the videos",
      .x = {.label = "Seconds", .high = d.end},
      .y = {.label = "% of the videos", .high = *std::max_element(heights.begin(), heights.end()), .percent = true},
      .series = {}};
  std::vector<BarRow> rows;
  for (const auto& [source, n] : s.sources) {
    BarRow row;
    row.name = row.note = source.empty() ? "(none)" : source;
    row.share = share(n, d.videos);
    row.value = draw::count(n);
    rows.push_back(std::move(row));
    if (rows.size() == kBars) break;
  }
  return section("How long, and from where",
                 fixed(d.shortest, 1) + " to " + fixed(d.longest, 1) + "&nbsp;s, the median is " + fixed(d.median, 1) +
                     "&nbsp;s; the last bar holds what is longer." +
                     (s.unknown > 0 ? " The catalog does not know " + many(s.unknown, "video") + " any more." : ""),
                 histogram(chart, {heights}) + bar_rows("Sources", "% of the videos", rows));
}

// The first video of each hashtag in turn, the most frequent hashtags first.
std::vector<const Item*> shown(const Dataset& set) {
  std::vector<const Item*> first(set.vocabulary.size(), nullptr);
  std::set<const Item*> taken;
  for (const auto& item : set.items) {
    for (const int label : item.labels) {
      auto& mine = first[static_cast<std::size_t>(label)];
      if (mine == nullptr && taken.insert(&item).second) mine = &item;
    }
  }
  std::vector<const Item*> result;
  for (const auto i : ranking(totals(set))) {
    if (first[i] != nullptr && result.size() < kPictures) result.push_back(first[i]);
  }
  return result;
}

std::string card(const Dataset& set, const Item& item, store::Store& store, const media::Limits& limits) {
  std::string out = "<div class=\"example\">";
  if (const auto jpeg = thumbnail(item, store, limits)) {
    out += "<img alt=\"Middle frame of video " + escape(item.video) + "\" src=\"data:image/jpeg;base64," +
           to_base64(*jpeg) + "\">";
  } else {
    out += "<span class=\"blank\">no picture</span>";
  }
  out += "<div><p>";
  for (const int label : item.labels)
    out += "<span class=\"tag\">#" + escape(set.vocabulary[static_cast<std::size_t>(label)]) + "</span>";
  out += "</p>";
  if (!item.caption.empty()) out += "<p class=\"note\">" + escape(shorten(item.caption, kCaption)) + "</p>";
  return out + "<p class=\"id\">" + escape(shorten(item.video, 24)) + "</p></div></div>\n";
}

std::string pictures(const Dataset& set, store::Store& store, const media::Limits& limits) {
  std::string cards;
  for (const Item* item : shown(set)) cards += card(set, *item, store, limits);
  return "<section><h2>What it looks like</h2><p>A video of each of the most frequent hashtags, with what it is "
         "labelled.</p>"
         "<div class=\"grid examples\">" +
         cards + "</div></section>\n";
}

}  // namespace

Result<std::string> thumbnail(const Item& item, store::Store& store, const media::Limits& limits) {
  try {
    auto video = media::Decoder::open(store.local_path(item.key), limits);
    if (!video) return fail(video.error());
    const std::vector<double> middle{(*video)->probe().duration / 2};
    const auto frames = (*video)->frames_at(middle, {.short_side = kThumbnail});
    if (!frames) return fail(frames.error());
    return media::encode_jpeg(frames->frame(0), frames->width, frames->height, kJpegQuality);
  } catch (const Exception& e) {  // the store has lost the video
    return fail(e.error());
  }
}

std::filesystem::path write_report(const std::filesystem::path& folder, const Dataset& set, const Stats& stats,
                                   store::Store& store, const media::Limits& limits) {
  const std::string body =
      header(set) + tiles(set, stats) +
      section("Hashtags of a video", "Left those that a model learns, right all that were typed.",
              plot_counts("Of the vocabulary", stats.per_video) + plot_counts("As typed", stats.typed)) +
      section("Support", "Few videos of a hashtag teach little, and measure it badly.", plot_support(set)) +
      support_table(set) + together_section(set, stats) + durations_section(stats) + pictures(set, store, limits) +
      "<footer>The same figures for programs: reeltag dataset stats --json.</footer>";
  const auto file = folder / "report.html";
  write_file(file, page("Dataset " + set.id, body));
  return file;
}

}  // namespace reeltag::dataset
