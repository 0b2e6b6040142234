#include "reeltag/draw/charts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reeltag/draw/html.hpp"

namespace reeltag::draw {
namespace {

constexpr double kWidth = 400, kHeight = 250;                       // of a chart
constexpr double kLeft = 54, kRight = 14, kTop = 12, kBottom = 46;  // margins around its plot
constexpr std::size_t kMaxName = 16;                                // characters of a hashtag beside a bar

std::string n(double value) { return fixed(value, 1); }
std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}

std::string text(double x, double y, const std::string& anchor, const std::string& escaped,
                 const std::string& more = "") {
  return "<text" + attribute("x", n(x)) + attribute("y", n(y)) + attribute("text-anchor", anchor) + more + ">" +
         escaped + "</text>";
}

std::string line(double x1, double y1, double x2, double y2, const std::string& css) {
  return "<line" + attribute("x1", n(x1)) + attribute("y1", n(y1)) + attribute("x2", n(x2)) + attribute("y2", n(y2)) +
         attribute("class", css) + "/>";
}

std::string rect(double x, double y, double w, double h, const std::string& more, const std::string& note) {
  return "<rect" + attribute("x", n(x)) + attribute("y", n(y)) + attribute("width", n(std::max(w, 0.0))) +
         attribute("height", n(std::max(h, 0.0))) + more + "><title>" + escape(note) + "</title></rect>";
}

std::string open(double width, double height, const std::string& title) {
  return "<svg viewBox=\"0 0 " + n(width) + " " + n(height) + "\" role=\"img\"" +
         attribute("aria-label", escape(title)) + ">";
}

// The number of decimals needed to distinguish neighboring ticks.
int digits_of(double step) { return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6); }

std::string tick_text(const Axis& axis, double value, double step) {
  return axis.percent ? fixed(100 * value, digits_of(100 * step)) : fixed(value, digits_of(step));
}

// Maps values to the plot's pixels.
struct Plot {
  const Axis& x;
  const Axis& y;
  [[nodiscard]] double px(double v) const {
    const double share = x.log ? std::log(v / x.low) / std::log(x.high / x.low) : (v - x.low) / span(x);
    return kLeft + share * (kWidth - kLeft - kRight);
  }
  [[nodiscard]] double py(double v) const {
    return kHeight - kBottom - (v - y.low) / span(y) * (kHeight - kTop - kBottom);
  }
  static double span(const Axis& a) { return a.high > a.low ? a.high - a.low : 1.0; }
};

std::string axes(const Plot& plot) {
  std::string out;
  const auto ys = ticks(plot.y.low, plot.y.high, 6);
  const auto xs = plot.x.log ? log_ticks(plot.x.low, plot.x.high, 6) : ticks(plot.x.low, plot.x.high, 7);
  for (const double v : ys) {
    out += line(kLeft, plot.py(v), kWidth - kRight, plot.py(v), "grid");
    out += text(kLeft - 6, plot.py(v) + 4, "end", tick_text(plot.y, v, ys.size() > 1 ? ys[1] - ys[0] : 1.0));
  }
  for (const double v : xs) {
    const double step = plot.x.log ? v : xs.size() > 1 ? xs[1] - xs[0] : 1.0;
    out += text(plot.px(v), kHeight - kBottom + 16, "middle", tick_text(plot.x, v, step));
  }
  out += line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "axis");
  out += text((kLeft + kWidth - kRight) / 2, kHeight - 8, "middle", escape(plot.x.label), attribute("class", "label"));
  const double middle = (kTop + kHeight - kBottom) / 2;
  out += text(13, middle, "middle", escape(plot.y.label),
              attribute("class", "label") + attribute("transform", "rotate(-90 13 " + n(middle) + ")"));
  return out;
}

std::string css_of(std::size_t series) { return "s" + std::to_string(series % 4 + 1); }

// drawn: include only series that have points.
std::string legend(const Chart& chart, bool drawn) {
  const std::size_t others = (chart.level_name.empty() ? 0U : 1U) + (chart.beyond_name.empty() ? 0U : 1U);
  if (chart.series.size() + others < 2) return "";
  std::string out = "<p class=\"legend\">";
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    if (drawn && chart.series[i].points.empty()) continue;
    out += "<span><i class=\"" + css_of(i) + "\"></i>" + escape(chart.series[i].name) + "</span>";
  }
  if (!chart.level_name.empty()) out += "<span><i class=\"dash\"></i>" + escape(chart.level_name) + "</span>";
  if (!chart.beyond_name.empty()) out += "<span><i class=\"over\"></i>" + escape(chart.beyond_name) + "</span>";
  return out + "</p>";
}

std::string figure(const std::string& title, const std::string& legend_html, const std::string& svg) {
  return "<figure><figcaption>" + escape(title) + "</figcaption>" + legend_html + svg + "</figure>\n";
}

// Shades the part of the plot beyond the limit and draws the limit as its edge.
std::string shade(const Chart& chart, const Plot& plot) {
  if (!std::isfinite(chart.beyond) || chart.beyond >= chart.x.high) return "";
  const double x = std::max(kLeft, plot.px(std::max(chart.beyond, chart.x.low)));
  return rect(x, kTop, kWidth - kRight - x, kHeight - kTop - kBottom, attribute("class", "over"), chart.beyond_name) +
         line(x, kTop, x, kHeight - kBottom, "dash");
}

// Places the label above left of its dot, where a rising line leaves room; on the right near the left edge.
std::string label_of(const std::string& label, double x, double y) {
  const bool right = x - kLeft < 8.0 * static_cast<double>(label.size());
  return text(right ? x + 7 : x - 6, right ? y + 14 : y - 6, right ? "start" : "end", escape(label),
              attribute("class", "soft"));
}

std::string draw(const Series& series, const Plot& plot, const std::string& css) {
  std::string path, dots;
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    const auto [x, y] = series.points[i];
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    const std::string at = n(plot.px(x)) + " " + n(plot.py(y));
    path += (path.empty() ? "M" : "L") + at;
    if (!series.dots) continue;
    dots += "<circle" + attribute("cx", n(plot.px(x))) + attribute("cy", n(plot.py(y))) +
            attribute("r", n(series.radius)) + attribute("class", css) + "><title>" +
            escape(i < series.notes.size() ? series.notes[i] : "") + "</title></circle>";
    if (i < series.labels.size() && !series.labels[i].empty())
      dots += label_of(series.labels[i], plot.px(x), plot.py(y));
  }
  if (path.empty()) return "";
  return (series.line ? "<path" + attribute("class", css) + attribute("d", path) + "/>" : "") + dots;
}

}  // namespace

std::vector<double> ticks(double low, double high, int most) {
  if (!(high > low) || !std::isfinite(high - low) || most < 1) return {low};
  const double rough = (high - low) / most;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> result;
  const double first = std::ceil(low / step - 1e-9);
  for (double k = first; k * step <= high + 1e-9 * step; ++k) result.push_back(k * step);
  return result;
}

std::vector<double> log_ticks(double low, double high, int most) {
  if (!(high > low) || !(low > 0.0) || !std::isfinite(high)) return {low};
  std::vector<double> powers, all;
  for (int e = static_cast<int>(std::floor(std::log10(low))); e <= static_cast<int>(std::ceil(std::log10(high))); ++e) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double v = digit * std::pow(10.0, e);
      if (v < low * (1 - 1e-9) || v > high * (1 + 1e-9)) continue;
      all.push_back(v);
      if (digit == 1.0) powers.push_back(v);
    }
  }
  return static_cast<int>(all.size()) <= most || powers.size() < 2 ? all : powers;
}

std::string line_chart(const Chart& chart) {
  const Plot plot{chart.x, chart.y};
  std::string svg = open(kWidth, kHeight, chart.title) + shade(chart, plot) + axes(plot);
  if (chart.diagonal) {
    svg += line(plot.px(chart.x.low), plot.py(chart.y.low), plot.px(chart.x.high), plot.py(chart.y.high), "dash");
  }
  if (chart.level >= chart.y.low && chart.level <= chart.y.high) {
    svg += line(kLeft, plot.py(chart.level), kWidth - kRight, plot.py(chart.level), "dash");
  }
  for (std::size_t i = 0; i < chart.series.size(); ++i) svg += draw(chart.series[i], plot, css_of(i));
  return figure(chart.title, legend(chart, true), svg + "</svg>");
}

std::string histogram(const Chart& chart, const std::vector<std::vector<double>>& heights) {
  const Plot plot{chart.x, chart.y};
  std::string svg = open(kWidth, kHeight, chart.title) + axes(plot);
  for (std::size_t s = 0; s < heights.size(); ++s) {
    const auto bins = static_cast<double>(heights[s].size());
    const double width = (kWidth - kLeft - kRight) / bins;
    const double bar = 0.86 * width / static_cast<double>(heights.size());
    for (std::size_t b = 0; b < heights[s].size(); ++b) {
      const double v = heights[s][b];
      if (!(v > 0.0)) continue;
      const double x = kLeft + width * (static_cast<double>(b) + 0.07) + bar * static_cast<double>(s);
      const double step = (chart.x.high - chart.x.low) / bins;
      const std::string note = (s < chart.series.size() ? chart.series[s].name + ", " : "") +
                               fixed(chart.x.low + step * static_cast<double>(b), 2) + " to " +
                               fixed(chart.x.low + step * static_cast<double>(b + 1), 2) + ": " +
                               (chart.y.percent ? fixed(100 * v, 1) + " %" : fixed(v, 2));
      svg += rect(x, plot.py(v), bar, kHeight - kBottom - plot.py(v), attribute("class", css_of(s)), note);
    }
  }
  return figure(chart.title, legend(chart, false), svg + "</svg>");
}

std::string bar_rows(const std::string& title, const std::string& axis, const std::vector<BarRow>& rows) {
  constexpr double kRow = 20, kStart = 136, kEnd = 332, kHead = 4;
  const double bottom = kHead + kRow * static_cast<double>(rows.size());
  const auto px = [&](double share) { return kStart + std::clamp(share, 0.0, 1.0) * (kEnd - kStart); };
  std::string svg = open(kWidth, bottom + 38, title);
  for (const double v : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg += line(px(v), kHead, px(v), bottom, "grid") + text(px(v), bottom + 14, "middle", fixed(100 * v, 0));
  }
  svg += text((kStart + kEnd) / 2, bottom + 32, "middle", escape(axis), attribute("class", "label"));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const BarRow& r = rows[i];
    const double y = kHead + kRow * static_cast<double>(i), middle = y + kRow / 2;
    svg += "<g><title>" + escape(r.note) + "</title>";
    svg += text(kStart - 6, middle + 4, "end", escape(shorten(r.name, kMaxName)), attribute("class", "name"));
    if (std::isfinite(r.share)) {
      svg +=
          rect(kStart, y + 4, px(r.share) - kStart, kRow - 8, attribute("class", "s1") + attribute("rx", "2"), r.note);
    }
    if (r.low >= 0.0) svg += line(px(r.low), middle, px(r.high), middle, "whisker");
    if (r.marker >= 0.0) svg += line(px(r.marker), y + 2, px(r.marker), y + kRow - 2, "marker");
    svg += text(kEnd + 8, middle + 4, "start", r.value) + "</g>";
  }
  return figure(title, "", svg + "</svg>");
}

std::string heat_map(const std::string& title, const HeatWords& words, const std::vector<std::string>& names,
                     const std::vector<std::vector<std::int64_t>>& counts) {
  const auto size = static_cast<double>(names.size());
  const double cell = size <= 12 ? 30 : size <= 24 ? 22 : 15, left = 134, top = 112;
  const bool numbers = size <= 24;
  std::string svg = open(left + cell * size + 12, top + cell * size + 12, title);
  svg += text(left, 12, "start", escape(words.columns), attribute("class", "label"));
  svg += text(13, top + cell * size / 2, "middle", escape(words.rows),
              attribute("class", "label") + attribute("transform", "rotate(-90 13 " + n(top + cell * size / 2) + ")"));
  for (std::size_t r = 0; r < names.size(); ++r) {
    const double y = top + cell * static_cast<double>(r), x = left + cell * static_cast<double>(r);
    const std::string name = escape(shorten(names[r], 15));
    svg += text(left - 6, y + cell / 2 + 4, "end", name, attribute("class", "name"));
    svg += text(0, 0, "start", name,
                attribute("class", "name") +
                    attribute("transform", "translate(" + n(x + cell / 2 + 4) + " " + n(top - 6) + ") rotate(-90)"));
    const auto total = static_cast<double>(
        words.diagonal_is_good ? std::accumulate(counts[r].begin(), counts[r].end(), std::int64_t{0}) : counts[r][r]);
    for (std::size_t c = 0; c < names.size(); ++c) {
      const double share = total > 0 ? static_cast<double>(counts[r][c]) / total : 0.0;
      const double cx = left + cell * static_cast<double>(c);
      const std::string shade = share > 0 ? attribute("class", r == c || !words.diagonal_is_good ? "hit" : "miss") +
                                                attribute("fill-opacity", fixed(0.12 + 0.88 * share, 2))
                                          : attribute("class", "none");
      const std::string note = names[r] + " " + words.joint + " " + names[c] + ": " + std::to_string(counts[r][c]) +
                               " of " + fixed(total, 0);
      svg += rect(cx + 1, y + 1, cell - 2, cell - 2, shade + attribute("rx", "2"), note);
      if (numbers && counts[r][c] > 0) {
        svg += text(cx + cell / 2, y + cell / 2 + 4, "middle", std::to_string(counts[r][c]),
                    attribute("class", share > 0.5 ? "cell dark" : "cell"));
      }
    }
  }
  // Wider than a phone: scrolls in its own box, because shrinking would make it illegible.
  const double width = left + cell * size + 12;
  return "<figure class=\"wide\"><figcaption>" + escape(title) +
         "</figcaption><div class=\"scroll\" tabindex=\"0\"><div style=\"min-width:" + n(width) +
         "px;max-width:" + n(1.4 * width) + "px\">" + svg + "</svg></div></div></figure>\n";
}

}  // namespace reeltag::draw
