#include "report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_set>

#include "plots.hpp"
#include "reeltag/base/base64.hpp"
#include "reeltag/draw/html.hpp"

namespace reeltag::evaluate {

using namespace draw;

namespace {

constexpr std::size_t kMaxFailures = 200;  // listed one by one
constexpr std::size_t kMaxRows = 5000;     // of the table per hashtag
constexpr std::size_t kCaption = 140;      // characters

bool has_classes(const Evaluation& e) { return e.label_mode == dataset::LabelMode::single; }

std::string split_name(const Evaluation& e) {
  return std::string(dataset::kSplitNames[static_cast<std::size_t>(e.split)]);
}

std::string many(std::int64_t n, const std::string& one) { return count(n) + " " + one + (n == 1 ? "" : "s"); }

std::string interval_text(const Figure& f) {
  return std::isfinite(f.low) ? fixed(100 * f.low, 1) + " to " + percent(f.high) : "n/a";
}

std::string header(const Evaluation& e) {
  std::unordered_set<std::string_view> groups;
  for (const Sample& s : e.samples) groups.insert(s.group);
  const std::string views = e.options.view_seconds > 0 ? "views of " + fixed(e.options.view_seconds, 1) + " s, averaged"
                                                       : "the video as a whole";
  return "<header><p class=\"brand\">reeltag</p><h1>How good is " + escape(e.model) +
         "?</h1><p class=\"facts\"><span>dataset " + escape(e.dataset) + "</span><span>" + split_name(e) +
         " split</span><span>" + many(e.metrics.videos, "video") + " of " +
         many(static_cast<std::int64_t>(groups.size()), "group") + "</span><span>" +
         many(static_cast<std::int64_t>(e.hashtags.size()), "hashtag") + "</span><span>" + views + "</span><span>" +
         fixed(e.seconds, 1) + "&nbsp;s</span></p></header>\n";
}

std::string lead(const Evaluation& e) {
  const Metrics& m = e.metrics;
  if (!std::isfinite(m.top1.value)) {
    return "<p class=\"lead\">None of these videos has a hashtag that the model knows, so there is nothing to "
           "measure.</p>\n";
  }
  const std::string of = has_classes(e) ? "the hashtag that the model puts first is the right one"
                                        : "the hashtag that the model puts first is one that the video really has";
  return "<p class=\"lead\">For <b>" + fixed(100 * m.top1.value, 0) + " of 100 videos</b> " + of +
         " (95&nbsp;% interval: " + fixed(100 * m.top1.low, 0) + " to " + fixed(100 * m.top1.high, 0) +
         "). Always naming the commonest hashtag would be right for <b>" + fixed(100 * m.chance_top1, 0) +
         "</b>.</p>\n";
}

// The interval as a strip from 0 to 100 %, the value as a dot.
std::string strip(const Figure& f, double chance) {
  if (!std::isfinite(f.value)) return "";
  const auto x = [](double v) { return fixed(3 + 194 * std::clamp(v, 0.0, 1.0), 1); };
  std::string svg =
      "<svg class=\"range\" viewBox=\"0 0 200 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
      "<line class=\"grid\" x1=\"3\" x2=\"197\" y1=\"6\" y2=\"6\"/><rect class=\"s1\" fill-opacity=\".35\" x=\"" +
      x(f.low) + "\" y=\"3\" width=\"" + fixed(std::max(2.0, 194 * (f.high - f.low)), 1) + "\" height=\"6\" rx=\"2\"/>";
  if (std::isfinite(chance))
    svg += "<line class=\"marker\" x1=\"" + x(chance) + "\" x2=\"" + x(chance) + "\" y1=\"1\" y2=\"11\"/>";
  return svg + "<rect class=\"s1\" x=\"" + fixed(1.5 + 194 * f.value, 1) +
         "\" y=\"1\" width=\"3\" height=\"10\" rx=\"1\"/></svg>";
}

std::string tile(const std::string& name, const Figure& f, const std::string& meaning, double chance = NAN) {
  return "<div class=\"tile\"><h3>" + name + "</h3><strong>" + percent(f.value) + "</strong>" + strip(f, chance) +
         "<p>" + interval_text(f) + "</p><p>" + meaning + "</p></div>";
}

std::string tiles(const Evaluation& e) {
  const Metrics& m = e.metrics;
  const bool single = has_classes(e);
  return "<div class=\"grid tiles\">" +
         tile("Top-1", m.top1,
              single ? "The first hashtag is right." : "The first hashtag is true, of videos that have one.",
              m.chance_top1) +
         tile("Top-5", m.top5,
              single ? "The right hashtag is among the first five." : "One of the first five is true.") +
         tile("mAP", m.map, "Ranking of the videos for each hashtag, averaged over hashtags.", m.chance_map) +
         tile("GAP@20", m.gap20, "Ranking of everything said: the 20 best of each video in one list.") +
         tile("Hit@1", m.hit1, "The first hashtag is true, of all videos.") +
         tile("PERR", m.perr, "Naming as many as a video has: so many are true.") +
         "</div><p class=\"note\">Below each figure stands its 95&nbsp;% interval, from " + count(m.resamples) +
         " resamples of the groups. The upright line is what guessing gives.</p>\n";
}

std::string class_table(const Evaluation& e) {
  std::string out =
      "<details><summary>All " + many(static_cast<std::int64_t>(e.hashtags.size()), "hashtag") +
      " as a table</summary><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>Hashtag</th>"
      "<th class=\"n\">Videos</th><th class=\"n\">Share</th><th class=\"n\">AP</th><th class=\"n\">95&nbsp;%</th>"
      "<th class=\"n\">Named right</th><th class=\"n\">Threshold</th><th class=\"n\">Precision</th>"
      "<th class=\"n\">Recall</th></tr></thead><tbody>";
  for (std::size_t c = 0; c < std::min(e.hashtags.size(), kMaxRows); ++c) {
    const ClassFigures& f = e.metrics.classes[c];
    out += "<tr><td>#" + escape(e.hashtags[c]) + "</td>";
    for (const std::string& cell :
         {count(f.support), percent(f.prior), percent(f.ap.value), interval_text(f.ap), percent(f.accuracy),
          fixed(f.threshold, 2), percent(f.precision), percent(f.recall)}) {
      out += "<td class=\"n\">" + cell + "</td>";
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div></details>\n";
}

std::string section(const std::string& title, const std::string& text, const std::string& figures) {
  if (figures.empty()) return "";
  return "<section><h2>" + title + "</h2><p>" + text + "</p><div class=\"grid\">" + figures + "</div></section>\n";
}

std::string class_section(const Evaluation& e) {
  const std::string what = has_classes(e) ? "How often a video of each hashtag gets exactly that one."
                                          : "How well the model ranks the videos of each hashtag before all others.";
  const std::string legend =
      "<p class=\"legend\"><span><i class=\"s1\"></i>" +
      std::string(has_classes(e) ? "named right" : "average precision") + "</span>" +
      (has_classes(e) ? "" : "<span><i class=\"thin\"></i>95&nbsp;% interval</span>") +
      "<span><i class=\"tick\"></i>guessing (its share of the videos)</span><span>n: its videos</span></p>";
  return "<section><h2>Hashtag by hashtag</h2><p>" + what + "</p>" + legend + "<div class=\"grid\">" + plot_classes(e) +
         "</div>" + class_table(e) + "</section>\n";
}

// Metrics with the frames in another order.
std::string time_section(const Evaluation& e) {
  if (e.time.empty()) return "";
  constexpr std::array<const char*, 4> kMeaning{"", "one frame, repeated", "frames shuffled", "frames reversed"};
  const auto row = [](const std::string& name, const Figure& top1, const Figure& map) {
    return "<tr><td>" + name + "</td><td class=\"n\">" + percent(top1.value) + "</td><td class=\"n\">" +
           interval_text(top1) + "</td><td class=\"n\">" + percent(map.value) + "</td></tr>";
  };
  std::string out =
      "<section><h2>Scene or motion?</h2><p>The same videos with their frames in another order. What stays is known "
      "from "
      "the scene; only what falls was seen in the motion.</p><div class=\"scroll\" tabindex=\"0\"><table><thead><tr>"
      "<th>Frames</th><th class=\"n\">Top-1</th><th class=\"n\">95&nbsp;%</th><th class=\"n\">mAP</th></tr></thead>"
      "<tbody>" +
      row("as they are", e.metrics.top1, e.metrics.map);
  for (const auto& t : e.time) out += row(kMeaning.at(static_cast<std::size_t>(t.order)), t.top1, t.map);
  out += "</tbody></table></div>";
  for (const auto& note : e.notes) out += "<p class=\"note\">" + escape(note) + "</p>";
  return out + "</section>\n";
}

std::string card(const Example& x) {
  std::string out = "<div class=\"example\">";
  if (x.jpeg.empty()) {
    out += "<span class=\"blank\">no picture</span>";
  } else {
    out += "<img alt=\"Middle frame of video " + escape(x.video) + "\" src=\"data:image/jpeg;base64," +
           to_base64(x.jpeg) + "\">";
  }
  out += "<div><p class=\"said\">True</p><p>";
  for (const std::string& h : x.hashtags) out += "<span class=\"tag\">#" + escape(h) + "</span>";
  out += "</p><p class=\"said\">The model said</p>";
  for (std::size_t i = 0; i < x.predicted.size(); ++i) {
    const auto& [hashtag, score] = x.predicted[i];
    const bool right = std::find(x.hashtags.begin(), x.hashtags.end(), hashtag) != x.hashtags.end();
    out += std::string("<p class=\"guess") +
           (right    ? " right"
            : i == 0 ? " wrong"
                     : "") +
           "\"><b>#" + escape(hashtag) + "</b><span>" + percent(score, 0) + "</span></p>";
  }
  if (!x.caption.empty()) out += "<p class=\"note\">" + escape(shorten(x.caption, kCaption)) + "</p>";
  return out + "<p class=\"id\">" + escape(shorten(x.video, 24)) + "</p></div></div>\n";
}

std::string examples(const std::string& title, const std::string& text, const std::vector<Example>& list) {
  std::string out = "<section><h2>" + title + "</h2><p>" + text + "</p>";
  if (list.empty()) return out + "<p class=\"note\">There are none.</p></section>\n";
  out += "<div class=\"grid examples\">";
  for (const Example& x : list) out += card(x);
  return out + "</div></section>\n";
}

std::string names(const std::vector<std::string>& hashtags) {
  std::string out;
  for (const std::string& h : hashtags) out += "<span class=\"tag\">#" + escape(h) + "</span>";
  return out;
}

std::string left_out(const Evaluation& e) {
  std::string out;
  if (!e.failures.empty()) {
    std::map<std::string_view, std::int64_t> reasons;
    for (const Failure& f : e.failures) ++reasons[code_name(f.error.code)];
    std::string list;
    for (const auto& [reason, n] : reasons) list += (list.empty() ? "" : ", ") + count(n) + " " + escape(reason);
    out += "<details><summary>" + many(static_cast<std::int64_t>(e.failures.size()), "video") +
           " could not be scored: " + list +
           "</summary><div class=\"scroll\" "
           "tabindex=\"0\"><table><thead><tr><th>Video</th><th>Reason</th></tr></thead><tbody>";
    for (std::size_t i = 0; i < std::min(e.failures.size(), kMaxFailures); ++i) {
      out +=
          "<tr><td>" + escape(e.failures[i].video) + "</td><td>" + escape(e.failures[i].error.message) + "</td></tr>";
    }
    out += "</tbody></table></div></details>\n";
  }
  const auto list = [&](const std::vector<std::string>& hashtags, const std::string& what) {
    if (hashtags.empty()) return;
    out += "<details><summary>" + many(static_cast<std::int64_t>(hashtags.size()), "hashtag") + " " + what +
           "</summary><p>" + names(hashtags) + "</p></details>\n";
  };
  list(e.missing_in_model, "of the dataset that the model does not know");
  list(e.missing_in_data, "of the model that the dataset does not have");
  const std::int64_t unlabelled = e.metrics.videos - e.metrics.labelled;
  if (unlabelled > 0) {
    out += "<p class=\"note\">" + many(unlabelled, "video") +
           " without any of these hashtags: not in Top-1 and Top-5, " +
           "a miss in Hit@1 and PERR, true negatives elsewhere.</p>\n";
  }
  return out.empty() ? "" : "<section><h2>What is not in these figures</h2>" + out + "</section>\n";
}

std::string training(const std::vector<Epoch>& epochs) {
  double waited = 0.0;
  for (const Epoch& epoch : epochs) waited += std::isfinite(epoch.seconds_wait) ? epoch.seconds_wait : 0.0;
  return section(
      "How it was trained",
      "One point an epoch, on data as training sees it (augmented) and on the validation split. The network waited " +
          fixed(waited, 1) + "&nbsp;s for frames in all.",
      plot_training(epochs));
}

}  // namespace

std::string to_html(const Evaluation& e, const std::vector<Epoch>& epochs) {
  const std::string ece = fixed(100 * e.curves.calibration_error, 1);
  return page(
      e.model + " on " + split_name(e),
      header(e) + lead(e) + tiles(e) + class_section(e) +
          section("What is taken for what",
                  "Each row is a true hashtag: green where the model agrees, red where it names another.",
                  plot_confusion(e)) +
          time_section(e) +
          section(
              "What the scores are worth",
              "A good score is high for true hashtags and low for others, and means what it says. These are off by " +
                  ece + " points on average.",
              plot_precision_recall(e) + plot_scores(e) + plot_reliability(e)) +
          examples("Surest hits", "True hashtags furthest above all others; at most two videos of one hashtag.",
                   e.best) +
          examples("Worst misses", "A wrong hashtag furthest above a true one. Some of these are wrong labels.",
                   e.worst) +
          training(epochs) + left_out(e) +
          "<footer>Figures follow youtube-8m's definitions (GAP@20, PERR, Hit@1) and non-interpolated average "
          "precision; the "
          "same numbers for programs are in metrics.json.</footer>");
}

}  // namespace reeltag::evaluate
