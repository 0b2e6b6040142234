// Renders charts as inline SVG. Colors come from the page's CSS (classes s1 to s4 for series), so that a chart follows
// the page's theme. Texts are escaped here. Functions, any thread; nothing here fails.
// Charts are 400 units wide (a heat map as wide as its cells need) and scale with the page's column.
//
//   Chart c{.title = "Loss", .x = {.label = "Epoch", .low = 1, .high = 30}, .y = {.label = "Cross entropy"}};
//   c.series.push_back({"train", points});
//   page += line_chart(c);
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace reeltag::draw {

struct Axis {
  std::string label;  // including its unit
  double low = 0.0, high = 1.0;
  bool percent = false;  // tick labels as percentages
  bool log = false;      // x axis only: logarithmic, low > 0
};

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // points that are not finite are left out
  std::vector<std::string> notes = {};            // tooltips, one per point, or empty
  bool dots = false;                              // draw a dot at each point
  bool line = true;                               // connect the points
  double radius = 3.5;                            // of the dots
  std::vector<std::string> labels = {};           // texts beside the dots, one per point, or empty
};

struct Chart {
  std::string title;
  Axis x, y;
  std::vector<Series> series;
  bool diagonal = false;  // draws a dashed line from corner to corner
  double level = -1.0;    // draws a dashed horizontal line at this value if the axis contains it
  std::string level_name = {};
  double beyond = std::numeric_limits<double>::quiet_NaN();  // shades the chart from this x on: over a limit
  std::string beyond_name = {};
};
std::string line_chart(const Chart& chart);

// Draws bars side by side over equal bins of the x axis.
std::string histogram(const Chart& axes, const std::vector<std::vector<double>>& heights);

// One horizontal bar in [0,1] per row.
struct BarRow {
  std::string name, value, note;  // left, right, tooltip
  double share = 0.0;
  double low = -1.0, high = -1.0;  // an interval; low < 0: none
  double marker = -1.0;            // a tick mark; below 0: none
};
std::string bar_rows(const std::string& title, const std::string& axis, const std::vector<BarRow>& rows);

// counts[row][column]; a cell's darkness is its share of its row.
struct HeatWords {
  std::string rows, columns;     // the axis labels
  std::string joint;             // between the two names in the tooltip: "named"
  bool diagonal_is_good = true;  // green diagonal, red elsewhere; else one color, as a share of the diagonal
};
std::string heat_map(const std::string& title, const HeatWords& words, const std::vector<std::string>& names,
                     const std::vector<std::vector<std::int64_t>>& counts);

// Round numbers within [low, high], about `most` of them at most.
std::vector<double> ticks(double low, double high, int most);
// For a logarithmic axis: 1, 2 and 5 times powers of ten, or only the powers if those are enough.
std::vector<double> log_ticks(double low, double high, int most);

}  // namespace reeltag::draw
