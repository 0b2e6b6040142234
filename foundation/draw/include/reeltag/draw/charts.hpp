// Charts as inline SVG, drawn by a few functions that know nothing of what they draw. Colours come from the page's CSS
// (classes s1 to s4 for series), so that a chart follows its theme. Texts are escaped here. Functions, any thread.
// All are 400 units wide (a heat map as its cells need) and scale with their column.
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
  std::string label;  // with its unit
  double low = 0.0, high = 1.0;
  bool percent = false;  // ticks as percentages
  bool log = false;      // of the x axis only: logarithmic, low > 0
};

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // points that are no numbers are left out
  std::vector<std::string> notes = {};            // shown on hovering, one per point; or none
  bool dots = false;                              // each point marked
  bool line = true;                               // points joined
  double radius = 3.5;                            // of the dots
  std::vector<std::string> labels = {};           // shown beside the dots, one per point; or none
};

struct Chart {
  std::string title;
  Axis x, y;
  std::vector<Series> series;
  bool diagonal = false;  // a dashed line from corner to corner
  double level = -1.0;    // a dashed horizontal line at this value, when it lies on the axis
  std::string level_name = {};
  double beyond = std::numeric_limits<double>::quiet_NaN();  // shaded from this x on: over a limit
  std::string beyond_name = {};
};
std::string line_chart(const Chart& chart);

// Bars side by side over equal bins of the x axis.
std::string histogram(const Chart& axes, const std::vector<std::vector<double>>& heights);

// Horizontal bars in [0,1], one a row.
struct BarRow {
  std::string name, value, note;  // left, right, on hovering
  double share = 0.0;
  double low = -1.0, high = -1.0;  // an interval; low < 0: none
  double marker = -1.0;            // a tick; below 0: none
};
std::string bar_rows(const std::string& title, const std::string& axis, const std::vector<BarRow>& rows);

// counts[row][column]; a cell is as dark as its share of its row.
struct HeatWords {
  std::string rows, columns;     // the axes
  std::string joint;             // between the two names on hovering: "named"
  bool diagonal_is_good = true;  // the diagonal green, the rest red; else one colour, as a share of the diagonal
};
std::string heat_map(const std::string& title, const HeatWords& words, const std::vector<std::string>& names,
                     const std::vector<std::vector<std::int64_t>>& counts);

// Round numbers within [low, high], at most about `most` of them.
std::vector<double> ticks(double low, double high, int most);
// The same for a logarithmic axis: 1, 2 and 5 times powers of ten, or the powers alone where those are enough.
std::vector<double> log_ticks(double low, double high, int most);

}  // namespace reeltag::draw
